import { decideDeploy } from '../../../domain/gates/deploy-decision.ts'
import { completePlan } from '../../../domain/plans/complete.ts'
import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { compilePolicy, evaluatePolicies } from '../../../domain/policies/policy.ts'
import { resolveEnvironment } from '../../../domain/stacks/environment.ts'
import { configuredDriver } from '../../../drivers/registry.ts'
import { decideHeal, type HealMemory } from '../heal-alone.ts'
import type { Desired, DesiredStack } from './desired.ts'
import type { StackRecord } from './ledger.ts'

export type Verdict =
  | { action: 'nothing'; heals?: HealMemory }
  | { action: 'apply'; heals?: HealMemory }
  /** `held`: it takes a newer commit; `drifted`: it stays for now. `again`: when to look, milliseconds since the epoch. */
  | { action: 'leave'; state: 'held' | 'drifted'; why: string; again?: number }

/**
 * What becomes of a plan. The signature is the approval; policies and what could not be planned are judged as on the
 * server.
 */
export function judgeDeployment(
  found: DriverPlan,
  desired: Desired,
  stack: DesiredStack,
  record: StackRecord,
): Verdict {
  const { definition } = stack
  const { driver, config } = configuredDriver(definition)
  const { idempotentApply } = driver.capabilitiesOf?.(config) ?? driver.capabilities
  const { ignore, unstable, environment: name } = definition
  const environment = resolveEnvironment(name, desired.config)
  const plan = completePlan(found, { desiredDigest: '', ignore, unstable, cause: null })
  const decision = decideDeploy({
    kind: 'deploy',
    plan,
    approved: null,
    approvedHere: false,
    protected: false,
    policies: evaluatePolicies((desired.config.policies ?? []).map(compilePolicy), {
      plan,
      stack: { name: definition.name, path: definition.path, driver: definition.driver },
      environment: { name, tier: environment.tier },
      mr: null,
      run: { kind: 'deploy' },
    }),
    brake: null,
    afterLostApply: record.failed?.lost === true && !idempotentApply,
    quarantined: false,
    unplannable: environment.unplannable,
  })
  if (decision.action === 'nothing' || decision.action === 'apply') return { action: decision.action }
  return { action: 'leave', state: 'held', why: decision.message }
}

export function judgeDrift(
  found: DriverPlan,
  { config }: Desired,
  { definition }: DesiredStack,
  { heals, deployed }: StackRecord,
  now: number,
): Verdict {
  const environment = resolveEnvironment(definition.environment, config)
  const rules = { definition, environment, policies: config.policies ?? [] }
  const facts = { memory: heals, now, desiredDigest: deployed?.digest ?? '' }
  const { decision, memory } = decideHeal(found, rules, facts)
  if (decision.action === 'nothing') return { action: 'nothing', heals: memory }
  if (decision.action === 'heal') return { action: 'apply', heals: decision.memory }
  const { why, again } = decision
  return { action: 'leave', state: 'drifted', why, ...(again !== undefined && { again }) }
}
