import type { ApprovalOutcome } from '../approvals.ts'
import type { GateFacts, Requirement } from '../facts.ts'
import { affected } from './affected.ts'
import { approvals } from './approvals.ts'
import { checks } from './checks.ts'
import { config } from './config.ts'
import { conflicts } from './conflicts.ts'
import { elsewhere } from './elsewhere.ts'
import { draft } from './draft.ts'
import type { ChangeKind, EnvironmentKind } from './kind.ts'
import { owners } from './owners.ts'
import { plans } from './plans.ts'
import { policies } from './policies.ts'
import { quarantine } from './quarantine.ts'
import { rollback } from './rollback.ts'
import { signatures } from './signatures.ts'
import { state } from './state.ts'
import { strays } from './strays.ts'
import { target } from './target.ts'
import { threads } from './threads.ts'
import { unplannable } from './unplannable.ts'
import { window } from './window.ts'

/** The kinds of requirement in the order in which people meet them: of the MR, of each environment, of the MR again. */
const FIRST: readonly ChangeKind[] = [state, draft, config, target, conflicts, signatures, affected]
const EACH_ENVIRONMENT: readonly EnvironmentKind[] = [
  plans,
  unplannable,
  checks,
  policies,
  quarantine,
  rollback,
  approvals,
  window,
]
const LAST: readonly ChangeKind[] = [strays, owners, threads]

/** Everything that is asked of an MR; `outcomes` are the approvals by environment, `outside` those of what is in none. */
export function requirementsOf(
  facts: GateFacts,
  outcomes: { readonly [environment: string]: ApprovalOutcome },
  outside: ApprovalOutcome | null,
): Requirement[] {
  const environments = facts.environments.map((environment) => ({
    environment,
    stacks: facts.stacks.filter((stack) => stack.environment === environment.name),
    approvals: outcomes[environment.name],
  }))
  return [
    ...FIRST.flatMap((kind) => kind(facts)),
    ...environments.flatMap((environment) => EACH_ENVIRONMENT.flatMap((kind) => kind(environment))),
    ...elsewhere(outside),
    ...LAST.flatMap((kind) => kind(facts)),
  ]
}
