import { TrueupError } from '../../lib/errors/error.ts'
import type { DriftConfig, TrueupConfig } from '../config/schema.ts'
import type { SignaturesConfig } from '../signatures/config.ts'
import type { WindowConfig } from '../windows/config.ts'
import { parseDuration } from '../duration.ts'
import { DEFAULT_POOL, type DriftRules } from './definition.ts'
import { didYouMean } from '../suggest.ts'

/** Whose changes are planned with all that an environment gives before somebody else approves them, most trusting first. */
export const TRUST = ['contributors', 'maintainers', 'approved'] as const
export type Trust = (typeof TRUST)[number]

const KINDS = ['team', 'user', 'github', 'gitlab', 'gitea'] as const

/** Somebody here, or a group of people on the forge where the repository lives. */
export interface Approver {
  kind: (typeof KINDS)[number]
  name: string
  /** Why it is known to have nobody in it. */
  why?: string
}

/** Whether it names a group on a forge: `gitlab:group/sub`, `github:org/team`, `gitea:org/team`. */
export const isOfForge = (text: string): boolean => /^(?:github|gitlab|gitea):/.test(text)

/** The rules of one environment with every default filled in. */
export interface EnvironmentRules {
  name: string
  tier: 'development' | 'staging' | 'production'
  approvals: {
    required: number
    /** Who may approve; anyone with the right to where empty. */
    from: Approver[]
    codeOwners: boolean
    rollback: 'none' | 'one' | 'same'
  }
  windows: WindowConfig[]
  onFailure: 'stop' | 'rollback'
  /** What an error while planning a part of a stack means for its approval. */
  unplannable: 'block' | 'allow'
  trust: Trust
  /** Null: none are asked for. */
  signatures: SignaturesConfig | null
  /** How long a proof of the second factor lets people approve and deploy; null: none is asked for. */
  stepUpMs: number | null
  drift: DriftRules
  pool: string
  /** Nothing unapproved is applied here: tier production, or approvals required. */
  protected: boolean
}

const DEFAULT_DRIFT_INTERVAL = '10m'

/** The rules of an environment that the configuration has. Throws CONFIG_INVALID for a name it does not have. */
export function resolveEnvironment(name: string, config: TrueupConfig): EnvironmentRules {
  const { environments } = config
  const environment = Object.hasOwn(environments, name) ? environments[name] : undefined
  if (!environment) {
    throw new TrueupError('CONFIG_INVALID', {
      doing: `looking up the environment ${JSON.stringify(name)}`,
      why: `trueup.yaml has no such environment${didYouMean(name, Object.keys(environments))}`,
    })
  }
  const { tier = 'development', approvals = {}, windows = [], onFailure = 'stop', workers = DEFAULT_POOL } = environment
  const production = tier === 'production'
  const required = approvals.required ?? (production ? 1 : 0)
  return {
    name,
    tier,
    approvals: {
      required,
      from: (approvals.from ?? []).map(approver),
      codeOwners: approvals.codeOwners ?? false,
      rollback: approvals.rollback ?? (production ? 'one' : 'none'),
    },
    windows,
    onFailure,
    unplannable: environment.unplannable ?? 'block',
    trust: environment.trust ?? 'contributors',
    signatures: environment.signatures ?? null,
    stepUpMs: environment.stepUp === undefined ? null : parseDuration(environment.stepUp),
    drift: driftRules(environment.drift, {
      mode: 'observe',
      intervalMs: parseDuration(DEFAULT_DRIFT_INTERVAL),
      maxDestroys: production ? 0 : null,
    }),
    pool: workers,
    protected: production || required > 0,
  }
}

/** Drift settings laid over others, key by key. */
export function driftRules(config: DriftConfig | undefined, under: DriftRules): DriftRules {
  return {
    mode: config?.mode ?? under.mode,
    intervalMs: config?.interval === undefined ? under.intervalMs : parseDuration(config.interval),
    maxDestroys: config?.maxDestroys ?? under.maxDestroys,
  }
}

/** `team:platform` → kind and name; the schema has checked the shape. */
function approver(text: string): Approver {
  const colon = text.indexOf(':')
  return { kind: KINDS.find((kind) => kind === text.slice(0, colon)) ?? 'user', name: text.slice(colon + 1) }
}
