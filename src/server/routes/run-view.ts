import { describeDifference, type PlanDifference } from '../../domain/plans/compare.ts'
import type { EngineParts } from '../../engine/parts.ts'
import { specOfRun } from '../../engine/run-spec.ts'
import { whyWaiting } from '../../engine/runs/waiting.ts'
import { appliedOf } from '../../engine/applied.ts'
import { type Run, runDependencies, type RunSummary as RunSummaryRow } from '../../store/runs/runs.ts'
import type { RunDetail, RunSummary } from '../schemas/plans.ts'
import { type Names, namesOf } from './names.ts'
import { nameOf } from './user-name.ts'

/** Runs as lists have them. */
export async function showRuns(parts: EngineParts, runs: readonly RunSummaryRow[]): Promise<RunSummary[]> {
  const names = await namesOf(parts, {
    stacks: runs.map(({ stackId }) => stackId),
    repositories: runs.map(({ repositoryId }) => repositoryId),
    mrs: runs.map(({ mrId }) => mrId),
  })
  return await Promise.all(runs.map((run) => oneOf(parts, run, names)))
}

export const showRun = async (parts: EngineParts, run: RunSummaryRow): Promise<RunSummary> =>
  (await showRuns(parts, [run]))[0]!

async function oneOf(parts: EngineParts, run: RunSummaryRow, names: Names): Promise<RunSummary> {
  return {
    id: run.id,
    kind: run.kind,
    state: run.state,
    reason: run.reason,
    message: await whyWaiting(parts, run),
    repository: names.repository(run.repositoryId),
    stack: names.stack(run.stackId),
    stackId: run.stackId,
    commit: run.commitOid,
    mr: names.mr(run.mrId),
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
    repeats: run.repeats,
    repeatedAt: run.repeatedAt,
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
    resources: (appliedOf(run)?.resources ?? []).map(({ status: state, ...rest }) => ({ ...rest, state })),
    dependsOn: (await runDependencies(parts.store.db, run.id)).dependsOn,
    cancelRequestedAt: run.cancelRequestedAt,
    logSize: run.logSize,
    request: specOfRun(run).request ?? null,
  }
}
