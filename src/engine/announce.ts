import type { Change } from '../store/open.ts'
import { getWorker } from '../store/workers/workers.ts'
import { watchOrdersOf } from './drift/watch-orders.ts'
import type { EngineParts } from './parts.ts'
import { tellReplaced } from './runs/replaced.ts'

/** What follows from changes is told this long after the first of them, so that a batch of them costs one look. */
const SETTLE_MS = 200

/**
 * Tells workers of new runs, of newer changes that wait for what they do, and of new watches after deployments. The answer
 * ends it.
 */
export function announceChanges(parts: EngineParts): () => void {
  const deployed = gather(async (of) => {
    for (const { workerId, pools } of parts.hub.connected()) {
      const worker = await getWorker(parts.store.db, workerId)
      if (!worker) continue
      parts.hub.send(workerId, { event: 'watches', watches: await watchOrdersOf(parts, of, pools, worker), of })
    }
  }, parts)
  const moved = gather((stackIds) => tellReplaced(parts, stackIds), parts)
  const onChange = (changes: readonly Change[]): void => {
    // Every step of every run is a change, and a worker that hears of work asks for it.
    if (changes.some((change) => change.work))
      for (const pool of new Set(parts.hub.connected().flatMap((worker) => worker.pools))) parts.hub.announceWork(pool)
    for (const { topic, stackId } of changes) {
      if (!stackId) continue
      if (topic === 'run') moved.add(stackId)
      if (topic === 'deployment') deployed.add(stackId)
    }
  }
  const unsubscribe = parts.store.changes.subscribe(onChange)
  return () => {
    unsubscribe()
    deployed.close()
    moved.close()
  }
}

/** Stacks that something is told of, all that came in a while at once. Where that fails they are told with the next ones. */
function gather(tell: (stackIds: string[]) => Promise<void>, { log }: EngineParts) {
  let settling: NodeJS.Timeout | null = null
  const waiting = new Set<string>()
  return {
    add(stackId: string): void {
      waiting.add(stackId)
      settling ??= setTimeout(() => {
        settling = null
        const of = [...waiting]
        waiting.clear()
        tell(of).catch((error: unknown) => {
          for (const each of of) waiting.add(each)
          log.warn({ err: error }, 'telling workers of stacks')
        })
      }, SETTLE_MS)
    },
    close(): void {
      if (settling) clearTimeout(settling)
    },
  }
}
