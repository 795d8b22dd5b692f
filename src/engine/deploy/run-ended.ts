import type { RunState } from '../../domain/runs/run.ts'
import { nowOf } from '../../store/open.ts'
import { getRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { afterDriftCheck } from '../drift/treat.ts'
import { openMergeRequests } from '../merge-requests/open.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import type { EngineParts } from '../parts.ts'
import { rollBackAutomatically } from '../rollback/automatic.ts'
import { orderOutcome, orderPreview } from '../run-tasks.ts'
import { blockDependents, releaseDependents } from './dependencies.ts'
import { deployDependants } from './redeploy.ts'

/**
 * What follows from the end of a run. At least once per run; every part finds out what is already done. `told` hears of it
 * when that is through.
 */
export async function runEnded(parts: EngineParts, runId: string, told?: (run: Run) => void): Promise<void> {
  const run = await getRun(parts.store.db, runId)
  if (!run || run.finishedAt === null) return
  await follow(parts, run)
  told?.(run)
}

async function follow(parts: EngineParts, run: Run): Promise<void> {
  switch (run.kind) {
    case 'preview':
      if (run.mrId) await previewEnded(parts, run.mrId)
      return
    case 'drift':
      return await afterDriftCheck(parts, run)
    case 'deploy':
    case 'destroy':
    case 'heal':
      return await changeEnded(parts, run)
  }
}

/**
 * The last plan of an MR is shown at once. While others are still made, one look serves all that end within this time:
 * each looks at every stack of the MR.
 */
const GATHER_MS = 500

async function previewEnded(parts: EngineParts, mrId: string): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const others = await listRuns(tx, { mrId, kinds: ['preview'], states: UNDER_WAY }, { limit: 1 })
    await orderPreview(tx, mrId, others.items.length > 0 ? { runAt: nowOf(tx) + GATHER_MS } : {})
  })
}

/** Queued ones do not count: with few workers they may stand for long. */
const UNDER_WAY: RunState[] = ['leased', 'preparing', 'planning']

async function changeEnded(parts: EngineParts, run: Run): Promise<void> {
  if (run.state === 'succeeded') {
    if (run.kind !== 'heal') await parts.store.transaction((tx) => releaseDependents(tx, run))
    await deployDependants(parts, run)
    await previewAgain(parts, run)
  } else if (run.state === 'failed' || run.state === 'canceled') {
    await parts.store.transaction((tx) => blockDependents(tx, run))
    if (run.state === 'failed' && run.kind === 'deploy') await rollBackAutomatically(parts, run)
  }
  // Plans that were made before it began to apply no longer say what is there.
  if ((await requireStack(parts.store.db, run.stackId)).brokenByRunId === run.id) await previewAgain(parts, run)
  const { mrId } = run
  // One after the other for each merge request, where several of its runs end at once.
  if (mrId) await parts.store.transaction((tx) => orderOutcome(tx, mrId))
}

/** Open MRs that plan this stack were planned against what was deployed before. */
async function previewAgain(parts: EngineParts, run: Run): Promise<void> {
  const stack = await requireStack(parts.store.db, run.stackId)
  const key = `${stack.environment}/${stack.name}`
  for await (const mr of openMergeRequests(parts.store.db, { repositoryId: run.repositoryId })) {
    if (Object.hasOwn(previewsOf(mr), key)) await parts.store.transaction((tx) => orderPreview(tx, mr.id))
  }
}
