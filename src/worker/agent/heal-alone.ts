import { brake } from '../../domain/drift/brake.ts'
import { FLAPPING, flapping, type Heal } from '../../domain/drift/flapping.ts'
import { FIRST_HEAL, type HealState, markStable, nextHeal } from '../../domain/drift/backoff.ts'
import { driftFromPlan } from '../../domain/drift/records.ts'
import { decideDeploy } from '../../domain/gates/deploy-decision.ts'
import { completePlan } from '../../domain/plans/complete.ts'
import type { DriverPlan, Plan } from '../../domain/plans/plan.ts'
import { compilePolicy, evaluatePolicies } from '../../domain/policies/policy.ts'
import type { StackDefinition } from '../../domain/stacks/definition.ts'
import type { EnvironmentRules } from '../../domain/stacks/environment.ts'
import type { PolicyConfig } from '../../domain/config/schema.ts'
import { deployWindow } from '../../domain/windows/windows.ts'
import type { AloneReport } from '../protocol.ts'

/** What an agent remembers of its heals of one stack. */
export interface HealMemory {
  backoff: HealState
  heals: Heal[]
}

export const NO_HEALS: HealMemory = { backoff: FIRST_HEAL, heals: [] }

/** What the signed commit says about healing a stack. */
export interface HealRules {
  definition: StackDefinition
  environment: EnvironmentRules
  policies: readonly PolicyConfig[]
}

export type HealDecision =
  | { action: 'nothing' }
  /** Drift is there and stays for now; `outcome` is what to tell, `again` when to look next (milliseconds since the epoch). */
  | { action: 'leave'; outcome: AloneReport['outcome']; why: string; again?: number }
  | { action: 'heal'; memory: HealMemory }

/** Whether drift that was just seen is to be overwritten: by the same rules as on the server, as far as the signed commit has them. */
export function decideHeal(
  found: DriverPlan,
  { definition, environment, policies }: HealRules,
  { memory, now, desiredDigest }: { memory: HealMemory; now: number; desiredDigest: string },
): { plan: Plan; decision: HealDecision; memory: HealMemory } {
  const { ignore, unstable } = definition
  const plan = completePlan(found, { desiredDigest, ignore, unstable, cause: 'drift' })
  const drift = driftFromPlan(plan)
  if (drift.length === 0)
    return { plan, decision: { action: 'nothing' }, memory: { ...memory, backoff: markStable(memory.backoff, now) } }
  const leave = (outcome: AloneReport['outcome'], why: string, again?: number) => ({
    plan,
    memory,
    decision: { action: 'leave' as const, outcome, why, ...(again !== undefined && { again }) },
  })
  if (definition.drift.mode !== 'enforce') return leave('seen', `drift.mode is ${definition.drift.mode}`)
  const window = deployWindow({ windows: environment.windows, freezes: [], at: now })
  if (!window.open) return leave('window', window.reason ?? 'outside the window', window.nextChangeAt ?? undefined)
  const [fight] = flapping(memory.heals, FLAPPING, now)
  if (fight)
    return leave(
      'flapping',
      `${fight.attribute} of ${fight.address} was healed ${fight.count} times: somebody keeps writing it`,
    )
  const held = brake(plan, definition.drift.maxDestroys)
  const decision = decideDeploy({
    kind: 'heal',
    plan,
    approved: null,
    approvedHere: false,
    protected: environment.protected,
    policies: evaluatePolicies(policies.map(compilePolicy), {
      plan,
      stack: { name: definition.name, path: definition.path, driver: definition.driver },
      environment: { name: definition.environment, tier: environment.tier },
      mr: null,
      run: { kind: 'heal' },
    }),
    brake: held.held ? held.message : null,
    afterLostApply: false,
    quarantined: false,
    unplannable: environment.unplannable,
  })
  if (decision.action === 'nothing') return { plan, decision, memory }
  if (decision.action !== 'apply') return leave('held', decision.message)
  const { at, state } = nextHeal(memory.backoff, now)
  if (at > now) return leave('backoff', 'it was healed a moment ago', at)
  const recent = memory.heals.filter((heal) => heal.at > now - FLAPPING.windowMs)
  const heals = [...recent, ...drift.map(({ address, attribute }) => ({ address, attribute, at: now }))].slice(-2_000)
  return { plan, decision: { action: 'heal', memory: { backoff: state, heals } }, memory }
}
