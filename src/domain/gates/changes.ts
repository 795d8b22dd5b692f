import { digestOf } from '../../lib/digest.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { TrueupConfig } from '../config/schema.ts'
import { stackKey, type StackKey } from '../stacks/stack.ts'
import { resolveEnvironment } from '../stacks/environment.ts'
import type { DriftRules, StackDefinition } from '../stacks/definition.ts'

/** A change of what guards an environment; approvals bind to `digest` as they do to a plan's. */
export interface GateChange {
  environment: string
  key: StackKey
  digest: string
  /** What changes, in words: `approvals`, `policies`, `checks of apps/web`. */
  what: string[]
}

const ENVIRONMENT_PARTS = [
  'tier',
  'approvals',
  'windows',
  'drift',
  'onFailure',
  'unplannable',
  'trust',
  'signatures',
  'stepUp',
  'workers',
] as const
const STACK_PARTS = [
  'checks',
  'verify',
  'onRemove',
  'drift',
  'needs',
  'ignore',
  'unstable',
  'sandbox',
  'network',
  'identity',
  'showSecretDiff',
] as const

/** A configuration and the stacks that it gives: entries can be written in many ways, stacks are what they mean. */
export interface Guarded {
  config: TrueupConfig
  stacks: readonly StackDefinition[]
}

/**
 * Environments whose rules an MR changes. Without this, one MR could lower the gates (it affects no stack, so nothing
 * asks for an approval) and the next one walk through. They are approved by the rules as they are on the target branch.
 * What comes new has no rules to weaken, but its own are no part of any plan: approvals bind to them all the same, so that
 * a later push cannot exchange the commands of a new stack or the workers of a new environment under an approval.
 * `proposed` is null where the MR removes the file.
 */
export function gateChanges(target: Guarded, proposed: Guarded | null): GateChange[] {
  const change = (environment: string, what: string[]): GateChange[] => {
    if (what.length === 0) return []
    const digest = digestOf(proposed && rulesOf(environment, proposed))
    return [{ environment, key: stackKey(environment, '(rules)'), digest, what }]
  }
  const known = Object.keys(target.config.environments)
  const added = Object.keys(proposed?.config.environments ?? {}).filter(
    (name) => !known.includes(name) && stacksOf(name, proposed!).length > 0,
  )
  return [
    ...known.flatMap((name) =>
      change(name, proposed ? whatChanges(name, target, proposed) : ['trueup.yaml is removed']),
    ),
    ...added.flatMap((name) => change(name, ['the environment is new'])),
  ]
}

function whatChanges(environment: string, target: Guarded, proposed: Guarded): string[] {
  const [was, is] = [target.config.environments[environment], proposed.config.environments[environment]]
  if (!is) return ['the environment is removed']
  const parts: string[] = ENVIRONMENT_PARTS.filter((part) => differs(was?.[part], is[part]))
  // A stack has the drift rules of its environment, whose change is said once.
  const stackParts = parts.includes('drift') || parts.includes('tier') ? WITHOUT_DRIFT : STACK_PARTS
  if (differs(target.config.policies ?? [], proposed.config.policies ?? [])) parts.push('policies')
  if (differs(target.config.executable, proposed.config.executable)) parts.push('executable')
  if (was?.signatures && differs(target.config.signers ?? [], proposed.config.signers ?? [])) parts.push('signers')
  const rules = resolveEnvironment(environment, proposed.config)
  const stacks = new Map(stacksOf(environment, target).map((stack) => [stack.key, stack]))
  // Removing a stack is a change of the stack, with a plan and gates of its own.
  for (const proposal of stacksOf(environment, proposed)) {
    const stack = stacks.get(proposal.key)
    if (stack === proposal) continue
    if (!stack) parts.push(...broughtBy(proposal, rules.drift).map((part) => `${part} of the new ${proposal.name}`))
    else for (const part of stackParts) if (differs(stack[part], proposal[part])) parts.push(`${part} of ${stack.name}`)
  }
  return parts
}

/** What a new stack brings that its plan does not show, and that is not just what its environment says of all stacks. */
const broughtBy = (stack: StackDefinition, usual: DriftRules): string[] => [
  ...(stack.checks.length > 0 ? ['checks'] : []),
  ...(stack.verify.length > 0 ? ['verify'] : []),
  ...(stack.onRemove === 'keep' ? [] : ['onRemove']),
  ...(stack.identity ? ['identity'] : []),
  ...(stack.drift.mode === 'enforce' && differs(stack.drift, usual) ? ['drift'] : []),
]

const WITHOUT_DRIFT = STACK_PARTS.filter((part) => part !== 'drift')

function rulesOf(environment: string, { config, stacks }: Guarded): unknown {
  return {
    environment: config.environments[environment] ?? null,
    policies: config.policies ?? [],
    ...(config.executable && { executable: config.executable }),
    ...(config.environments[environment]?.signatures && { signers: config.signers ?? [] }),
    stacks: stacksOf(environment, { config, stacks }).map((stack) => [
      stack.key,
      STACK_PARTS.map((part) => stack[part]),
    ]),
  }
}

const stacksOf = (environment: string, { stacks }: Guarded): StackDefinition[] =>
  stacks.filter((stack) => stack.environment === environment)

const differs = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) !== canonicalJson(b ?? null)
