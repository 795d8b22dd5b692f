import { LEASED_STATES } from '../../domain/runs/run.ts'
import { listRuns, type RunSummary, transitionRun } from '../../store/runs/runs.ts'
import { readyChanges, type ReadyChange } from '../../store/runs/search.ts'
import { getWorker, isInScope, type Worker } from '../../store/workers/workers.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { followUpIfEnded } from '../run-tasks.ts'
import { refreshStack } from '../stacks/status.ts'

/** Reason of a preview or drift check that was put back into the queue for a run that changes something. */
const GAVE_WAY = 'gave_way'
const READING = ['leased', 'preparing', 'planning'] as const

/** A connected worker, as far as its slots go. */
interface Seats {
  worker: Worker
  free: number
  /** What gives way first stands last: drift checks before previews, the youngest first. */
  readers: RunSummary[]
}

/**
 * What changes something never waits behind what only reads: where every slot that it could have is taken, the youngest
 * reading run there goes back into the queue. It has changed nothing and is made again; the attempt is not counted.
 */
export async function makeWay(parts: EngineParts): Promise<void> {
  const { store, hub } = parts
  const connected = hub.connected()
  const pools = new Set(connected.flatMap((worker) => worker.pools))
  if ((await readyChanges(store.db, [...pools])).length === 0) return
  const stopped = await store.transaction(async (tx) => {
    const seats: Seats[] = []
    for (const { workerId } of connected) {
      const worker = await getWorker(tx, workerId)
      if (worker && worker.revokedAt === null && typeof worker.info['slots'] === 'number')
        seats.push(
          seatsOf(worker, (await listRuns(tx, { heldBy: workerId, states: LEASED_STATES }, { limit: 500 })).items),
        )
    }
    const givingWay = whoGivesWay(await readyChanges(tx, [...pools]), seats)
    for (const { run, for: change } of givingWay) {
      const moved = await transitionRun(tx, {
        runId: run.id,
        fence: run.fence,
        from: READING,
        to: 'queued',
        reason: GAVE_WAY,
        message: `gave its slot to run ${change.id}, and is made again after it`,
        actor: SYSTEM,
      })
      await followUpIfEnded(tx, moved)
      await refreshStack(tx, run.stackId)
    }
    return givingWay.map(({ run }) => run)
  })
  // A worker that does not hear of it learns by its next heartbeat that the run is no longer its own.
  for (const { id, workerId } of stopped)
    if (workerId !== null) hub.send(workerId, { event: 'cancel', runId: id, reason: GAVE_WAY })
}

function seatsOf(worker: Worker, held: readonly RunSummary[]): Seats {
  const reading = held.filter(({ kind, state }) => isReading(kind) && (READING as readonly string[]).includes(state))
  const readers = reading.toSorted((a, b) => b.priority - a.priority || (a.startedAt ?? 0) - (b.startedAt ?? 0))
  return { worker, free: Number(worker.info['slots']) - held.length, readers }
}

const isReading = (kind: RunSummary['kind']): boolean => kind === 'preview' || kind === 'drift'

/** Takes a free slot for each change where there is one, and otherwise that of a reader. */
function whoGivesWay(
  changes: readonly ReadyChange[],
  seats: readonly Seats[],
): { run: RunSummary; for: ReadyChange }[] {
  return changes.flatMap((change) => {
    const fit = seats.filter(({ worker }) => worker.pools.includes(change.pool) && isInScope(worker, change))
    const free = fit.find((seat) => seat.free > 0)
    if (free) free.free--
    const run = free ? undefined : fit.find(({ readers }) => readers.length > 0)?.readers.pop()
    return run ? [{ run, for: change }] : []
  })
}
