import { describeDifference, type PlanDifference } from '../../domain/plans/compare.ts'
import type { EngineParts } from '../../engine/parts.ts'
import { specOfRun } from '../../engine/run-spec.ts'
import { whyWaiting } from '../../engine/runs/waiting.ts'
import { appliedOf } from '../../engine/applied.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { type Run, runDependencies, type RunSummary as RunSummaryRow } from '../../store/runs/runs.ts'
import { getStack } from '../../store/stacks/stacks.ts'
import type { RunDetail, RunSummary } from '../schemas/plans.ts'
import { nameOf } from './user-name.ts'

/** A run as lists have it. */
export async function showRun(parts: EngineParts, run: RunSummaryRow): Promise<RunSummary> {
  const { db } = parts.store
  const [stack, repository] = [await getStack(db, run.stackId), await getRepository(db, run.repositoryId)]
  const mr = run.mrId === null ? undefined : await getMergeRequest(db, run.mrId)
  return {
    id: run.id,
    kind: run.kind,
    state: run.state,
    reason: run.reason,
    message: await whyWaiting(parts, run),
    repository: repository?.name ?? '',
    stack: stack ? `${stack.environment}/${stack.name}` : '',
    stackId: run.stackId,
    commit: run.commitOid,
    mr: mr?.number ?? null,
    mergeSequence: run.mergeSequence,
    planDigest: run.planDigest,
    summary: run.planSummary,
    provisional: run.provisional,
    attempt: run.attempt,
    retryOf: run.retryOfRunId,
    notBefore: run.notBefore,
    worker: run.workerId,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
  }
}

/** The whole run, with its plan. */
export async function showRunDetail(parts: EngineParts, run: Run): Promise<RunDetail> {
  const { differences = [] } = (run.result ?? {}) as { differences?: PlanDifference[] }
  return {
    ...(await showRun(parts, run)),
    error: run.error,
    plan: run.plan,
    approvedDigest: run.approvedDigest,
    approvedBy: run.approvedById === null ? null : await nameOf(parts, run.approvedById),
    differences: run.state === 'awaiting_approval' ? differences.map(describeDifference) : [],
    checks: (run.checks ?? []) as RunDetail['checks'],
    verify: (run.verify ?? []) as RunDetail['verify'],
    resources: appliedOf(run)?.resources ?? [],
    dependsOn: (await runDependencies(parts.store.db, run.id)).dependsOn,
    cancelRequestedAt: run.cancelRequestedAt,
    logSize: run.logSize,
    request: specOfRun(run).request ?? null,
  }
}
