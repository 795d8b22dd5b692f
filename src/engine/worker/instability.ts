import type { Finding, Plan } from '../../domain/plans/plan.ts'
import { findInstability } from '../../domain/plans/instability.ts'
import type { Queries } from '../../store/database/context.ts'
import { latestPlanned } from '../../store/runs/search.ts'
import type { Run } from '../../store/runs/runs.ts'
import { specOfRun } from '../run-spec.ts'

/** Attributes named on one plan; more of them are the same news. */
const MAX_NAMED = 20

/**
 * Adds a finding for each attribute whose planned value differs from that of an earlier plan of the very same desired
 * state: it changes by itself, and keeps approvals from holding.
 */
export async function withInstability(queries: Queries, run: Run, plan: Plan): Promise<Plan> {
  if (plan.changes.length === 0 || specOfRun(run).request) return plan
  const kinds =
    run.kind === 'drift' || run.kind === 'heal' ? (['drift', 'heal'] as const) : (['preview', 'deploy'] as const)
  const { stackId, desiredDigest } = run
  const earlier = await latestPlanned(queries, { stackId, desiredDigest, kinds, notRunId: run.id })
  if (!earlier?.plan || specOfRun(earlier).request) return plan
  // One of the two was planned with placeholders for what the other was given.
  if (Boolean(specOfRun(earlier).placeholders) !== Boolean(specOfRun(run).placeholders)) return plan
  if (Boolean(specOfRun(earlier).untrusted) !== Boolean(specOfRun(run).untrusted)) return plan
  const named = findInstability(earlier.plan, plan).slice(0, MAX_NAMED)
  return named.length === 0 ? plan : { ...plan, findings: [...plan.findings, ...named.map(findingOf)] }
}

function findingOf({ address, attribute }: { address: string; attribute: string }): Finding {
  return {
    severity: 'warning',
    code: 'unstable_plan',
    message: `${address}: ${attribute} has another planned value each time although nothing has changed; list it under \`unstable:\` so that approvals hold`,
  }
}
