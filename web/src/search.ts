import type { Schemas } from './api/client.ts'
import { STATES } from './text.ts'

/** What stands behind the `?` of each page: its whole view, so that an address shows to others what one sees. */
type Raw = Record<string, unknown>

const text = (value: unknown, max = 300): string | undefined =>
  typeof value === 'string' && value !== ''
    ? value.slice(0, max)
    : typeof value === 'number'
      ? String(value)
      : undefined

const oneOf = <T extends string>(values: readonly T[], value: unknown): T | undefined =>
  values.find((each) => each === value)

/** Leaves out what is not set, so that an address stays short. */
const only = <T extends object>(found: T): Partial<T> =>
  Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<T>

export const login = (raw: Raw) => only({ to: text(raw['to'], 2_000), failed: text(raw['failed'], 50) })

export const matrix = (raw: Raw) =>
  only({
    q: text(raw['q']),
    state: oneOf(STATES, raw['state']),
    driver: text(raw['driver']),
    environment: text(raw['environment']),
    sort: oneOf(['need', 'name'] as const, raw['sort']),
  })

const MR_STATES = ['open', 'merged', 'closed', 'all'] as const
export const mrs = (raw: Raw) => only({ state: oneOf(MR_STATES, raw['state']) })

export const MR_TABS = ['plans', 'conversation', 'files', 'commits'] as const
export const mr = (raw: Raw) =>
  only({
    tab: oneOf(MR_TABS, raw['tab']),
    stack: text(raw['stack']),
    file: text(raw['file'], 4_000),
    split: raw['split'] === false ? false : undefined,
    by: raw['by'] === 'change' ? ('change' as const) : undefined,
  })

const KINDS: readonly Schemas['RunKind'][] = ['preview', 'deploy', 'drift', 'heal', 'destroy']
export const RUN_STATES: readonly Schemas['RunState'][] = [
  'queued',
  'leased',
  'preparing',
  'planning',
  'awaiting_approval',
  'applying',
  'verifying',
  'succeeded',
  'failed',
  'canceled',
  'superseded',
  'blocked',
  'lost',
]
export const runs = (raw: Raw) =>
  only({ kind: oneOf(KINDS, raw['kind']), state: oneOf(RUN_STATES, raw['state']), stackId: text(raw['stackId']) })
export const run = (raw: Raw) =>
  only({
    line: typeof raw['line'] === 'number' ? raw['line'] : undefined,
    q: text(raw['q']),
    time: raw['time'] === true ? true : undefined,
    /** First lines of the parts of the log that are folded. */
    folds: Array.isArray(raw['folds'])
      ? raw['folds'].filter((line) => Number.isInteger(line)).slice(0, 500)
      : undefined,
  })

const DRIFT_STATES = ['open', 'healed', 'codified', 'accepted', 'gone', 'all'] as const
export const GROUPS = ['cause', 'attribute', 'stack', 'environment', 'age', 'flapping'] as const
export const drift = (raw: Raw) =>
  only({
    state: oneOf(DRIFT_STATES, raw['state']),
    environment: text(raw['environment']),
    group: oneOf(GROUPS, raw['group']),
  })

export const deployments = (raw: Raw) =>
  only({ stack: text(raw['stack']), days: oneOf(['7', '30', '90'] as const, String(raw['days'])) })
export const stack = (raw: Raw) => only({ view: raw['view'] === 'graph' ? ('graph' as const) : undefined })
export const places = (raw: Raw) => only({ q: text(raw['q']), environment: text(raw['environment']) })
export const dependencies = (raw: Raw) => only({ environment: text(raw['environment']) })
export const audit = (raw: Raw) =>
  only({ actor: text(raw['actor']), action: text(raw['action']), subject: text(raw['subject']) })

export const SETTINGS_TABS = [
  'repository',
  'people',
  'teams',
  'tokens',
  'variables',
  'environments',
  'sign-in',
  'identity',
] as const
export const settings = (raw: Raw) =>
  only({ tab: oneOf(SETTINGS_TABS, raw['tab']), repository: text(raw['repository']) })
