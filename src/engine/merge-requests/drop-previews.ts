import { getRun, listRuns, requestCancel, type RunSummary, transitionRun } from '../../store/runs/runs.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import type { PreviewRefs } from './previews.ts'

/** Why previews were taken back: a newer head or target has other plans, or the merge request is over. */
export type DropReason = 'newer_preview' | 'mr_closed' | 'mr_merged'

/** Takes back every unfinished preview of the MR that `previews` does not name; how many there were. */
export async function dropPreviews(
  parts: EngineParts,
  mrId: string,
  previews: PreviewRefs,
  reason: DropReason,
): Promise<number> {
  let dropped = 0
  const wanted = new Set(Object.values(previews).map((preview) => preview.runId))
  let cursor: string | undefined
  do {
    const page = await listRuns(
      parts.store.db,
      { mrId, kinds: ['preview'], states: ['queued', 'leased', 'preparing', 'planning'] },
      { limit: 500, ...(cursor && { cursor }) },
    )
    for (const run of page.items) {
      if (wanted.has(run.id)) continue
      await dropPreview(parts, run, reason)
      dropped++
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return dropped
}

async function dropPreview(parts: EngineParts, run: RunSummary, reason: DropReason): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const now = await getRun(tx, run.id)
    if (now?.state === 'queued') {
      await transitionRun(tx, { runId: run.id, to: 'superseded', reason, actor: SYSTEM })
    } else if (now) await requestCancel(tx, { runId: run.id, reason, actor: SYSTEM })
  })
  if (run.workerId) parts.hub.send(run.workerId, { event: 'cancel', runId: run.id, reason })
}
