import type { Change } from '../store/open.ts'
import { getWorker } from '../store/workers/workers.ts'
import { watchOrdersOf } from './drift/watch-orders.ts'
import type { EngineParts } from './parts.ts'
import { tellReplaced } from './runs/replaced.ts'

/** What follows from changes is told this long after the first of them, so that a batch of them costs one look. */
const SETTLE_MS = 200

/** Tells workers of new runs, and of new watches after deployments. The answer ends it. */
export function announceChanges(parts: EngineParts): () => void {
  let settling: NodeJS.Timeout | null = null
  const deployed = new Set<string>()
  let replacing: NodeJS.Timeout | null = null
  const moved = new Set<string>()
  const noteMoved = (): void => {
    replacing ??= setTimeout(() => {
      replacing = null
      const stackIds = [...moved]
      moved.clear()
      // The next heartbeat says it as well.
      tellReplaced(parts, stackIds).catch((error: unknown) =>
        parts.log.warn({ err: error }, 'telling of newer changes'),
      )
    }, SETTLE_MS)
  }
  const sendWatches = async (of: string[]): Promise<void> => {
    for (const { workerId, pools } of parts.hub.connected()) {
      const worker = await getWorker(parts.store.db, workerId)
      if (!worker) continue
      parts.hub.send(workerId, { event: 'watches', watches: await watchOrdersOf(parts, of, pools, worker), of })
    }
  }
  const onChange = (changes: readonly Change[]): void => {
    // Every step of every run is a change, and a worker that hears of work asks for it.
    if (changes.some((change) => change.work)) {
      for (const { topic, stackId } of changes) if (topic === 'run' && stackId) moved.add(stackId)
      if (moved.size > 0) noteMoved()
      for (const pool of new Set(parts.hub.connected().flatMap((worker) => worker.pools))) parts.hub.announceWork(pool)
    }
    for (const { topic, stackId } of changes) if (topic === 'deployment' && stackId) deployed.add(stackId)
    if (deployed.size > 0 && !settling) {
      settling = setTimeout(() => {
        settling = null
        const of = [...deployed]
        deployed.clear()
        sendWatches(of).catch((error: unknown) => {
          // Told again with the next deployment, or when the worker connects anew.
          for (const stackId of of) deployed.add(stackId)
          parts.log.warn({ err: error }, 'sending watch orders')
        })
      }, SETTLE_MS)
    }
  }
  const unsubscribe = parts.store.changes.subscribe(onChange)
  return () => {
    unsubscribe()
    if (settling) clearTimeout(settling)
    if (replacing) clearTimeout(replacing)
  }
}
