import type { Queries } from '../store/database/context.ts'
import type { Run } from '../store/runs/runs.ts'
import { enqueueTask } from '../store/runs/tasks.ts'

/** Orders what follows from the end of a run. To be called in the transaction that ends it. */
export async function followUpRun(tx: Queries, run: Pick<Run, 'id'>): Promise<void> {
  await enqueueTask(tx, { kind: 'run.ended', key: run.id, payload: { runId: run.id } })
}

/** After a move to a state of waiting: it ends a run that somebody wants canceled. To be called in the same transaction. */
export async function followUpIfEnded(tx: Queries, run: Pick<Run, 'id' | 'finishedAt'>): Promise<void> {
  if (run.finishedAt !== null) await followUpRun(tx, run)
}

/** `failedAnew`: somebody asks for another try of plans that failed. `runAt`: when there is no hurry. */
export async function orderPreview(
  tx: Queries,
  mrId: string,
  { failedAnew = false, runAt }: { failedAnew?: boolean; runAt?: number } = {},
): Promise<void> {
  const kind = failedAnew ? 'mr.retry' : 'mr.preview'
  await enqueueTask(tx, { kind, key: mrId, payload: { mrId }, ...(runAt !== undefined && { runAt }) })
}

export async function orderEvaluation(tx: Queries, mrId: string): Promise<void> {
  await enqueueTask(tx, { kind: 'mr.evaluate', key: mrId, payload: { mrId } })
}

/** Orders the comment that tells what became of a merge request, and what of it waits. */
export async function orderOutcome(tx: Queries, mrId: string): Promise<void> {
  await enqueueTask(tx, { kind: 'mr.outcome', key: mrId, payload: { mrId } })
}

export async function orderDeployment(tx: Queries, repositoryId: string): Promise<void> {
  await enqueueTask(tx, { kind: 'deploy', key: repositoryId, payload: { repositoryId } })
}

/** Orders plans of deployed stacks whose inputs or variables are no longer those that they were deployed with. */
export async function orderRedeployment(
  tx: Queries,
  repositoryId: string,
  { runAt }: { runAt?: number } = {},
): Promise<void> {
  await enqueueTask(tx, {
    kind: 'redeploy',
    key: repositoryId,
    payload: { repositoryId },
    ...(runAt !== undefined && { runAt }),
  })
}

/** Orders a look at every open MR of the repository, after something that may matter to all of their gates. */
export async function orderAllPreviews(tx: Queries, repositoryId: string): Promise<void> {
  await enqueueTask(tx, { kind: 'mr.all', key: repositoryId, payload: { repositoryId } })
}
