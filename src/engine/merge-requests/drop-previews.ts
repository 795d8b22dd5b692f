import { getRun, listRuns, requestCancel, type RunSummary, transitionRun } from '../../store/runs/runs.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import type { PreviewRefs } from './previews.ts'

/** Reason of previews that were taken back because a newer head has other plans. */
const NEWER_PREVIEW = 'newer_preview'

/** Takes back every unfinished preview of the MR that `previews` does not name; how many there were. */
export async function dropPreviews(parts: EngineParts, mrId: string, previews: PreviewRefs): Promise<number> {
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
      await dropPreview(parts, run)
      dropped++
    }
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return dropped
}

async function dropPreview(parts: EngineParts, run: RunSummary): Promise<void> {
  await parts.store.transaction(async (tx) => {
    const now = await getRun(tx, run.id)
    if (now?.state === 'queued') {
      await transitionRun(tx, { runId: run.id, to: 'superseded', reason: NEWER_PREVIEW, actor: SYSTEM })
    } else if (now) await requestCancel(tx, { runId: run.id, reason: NEWER_PREVIEW, actor: SYSTEM })
  })
  if (run.workerId) parts.hub.send(run.workerId, { event: 'cancel', runId: run.id, reason: NEWER_PREVIEW })
}
