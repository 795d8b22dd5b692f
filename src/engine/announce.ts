import type { Change } from '../store/open.ts'
import { readyPools } from '../store/runs/search.ts'
import { getStack } from '../store/stacks/stacks.ts'
import { knownWorkers } from '../store/workers/known.ts'
import type { ServerEvent } from '../domain/wire/worker-protocol.ts'
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
  const deployed = gather((of) => tellWatches(parts, of), parts)
  const moved = gather((stackIds) => tellReplaced(parts, stackIds), parts)
  const onChange = (changes: readonly Change[]): void => {
    // Every step of every run is a change, and a worker that hears of work asks for it.
    if (changes.some((change) => change.work)) work.wanted()
    for (const { topic, stackId } of changes) {
      if (!stackId) continue
      if (topic === 'run') moved.add(stackId)
      if (topic === 'deployment') deployed.add(stackId)
    }
  }
  const work = announcer(parts)
  const unsubscribe = parts.store.changes.subscribe(onChange)
  return () => {
    unsubscribe()
    work.close()
    deployed.close()
    moved.close()
  }
}

/** Tells the workers that have, had or get these stacks what to watch of them. */
async function tellWatches({ store, hub, ...parts }: EngineParts, of: string[]): Promise<void> {
  const concerned = new Set<string>()
  for (const id of of) {
    const pool = (await getStack(store.db, id))?.deployedPool
    // Who watched it in another pool hears that it is no longer its own.
    for (const each of [...hub.orderedOf(id), ...(pool ? [pool] : [])])
      for (const workerId of hub.serving(each)) concerned.add(workerId)
  }
  /** Who serves the same is told the same: put together and written once. */
  const told = new Map<string, ServerEvent>()
  for (const workerId of concerned) {
    const worker = await knownWorkers(store).get(workerId)
    if (!worker) continue
    const { pools, repositories, environments } = worker
    const key = JSON.stringify([pools, repositories, environments])
    const event = told.get(key) ?? {
      event: 'watches',
      watches: await watchOrdersOf({ store, hub, ...parts }, of, pools, worker),
      of,
    }
    told.set(key, event)
    hub.send(workerId, event)
  }
}

/** Says that there is work to those who could have it: to ask all of thousands for each run would cost more than the run. */
function announcer({ store, hub, log }: EngineParts): { wanted(): void; close(): void } {
  let looking = false
  let again = false
  let closed = false
  const look = async (): Promise<void> => {
    try {
      while (again && !closed) {
        again = false
        for (const pool of await readyPools(store.db)) hub.announceWork(pool)
      }
    } catch (error) {
      // The clock looks once more, and workers ask by themselves.
      log.warn({ err: error }, 'telling workers of runs')
    } finally {
      looking = false
    }
  }
  return {
    wanted() {
      again = true
      if (looking) return
      looking = true
      // All that one turn of the event loop brings is one look.
      setImmediate(() => void look())
    },
    close() {
      closed = true
    },
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
