import { LEASED_STATES } from '../../domain/runs/run.ts'
import { nowOf, type Queries } from '../../store/database/context.ts'
import { nextInLine } from '../../store/runs/claim.ts'
import { listRuns, type RunSummary, transitionRun } from '../../store/runs/runs.ts'
import { readyChanges, type ReadyChange, readyPools } from '../../store/runs/search.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { hasOneOf, toolsOf } from '../../domain/runs/programs.ts'
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

/** How long a run that only reads waits beside one who holds several slots, before one of these is taken back. */
const FAIR_AFTER_MS = 60_000

/**
 * What changes something never waits behind what only reads: where every slot that it could have is taken, the youngest
 * reading run there goes back into the queue. And nobody's previews keep those of others waiting for long: of a share that holds
 * two slots more than the one whose turn it is, the youngest goes back. Either has changed nothing and is made again; the
 * attempt is not counted.
 */
export async function makeWay(parts: EngineParts): Promise<void> {
  const { store, hub } = parts
  const pools = (await readyPools(store.db)).filter((pool) => hub.serving(pool).length > 0)
  if (pools.length === 0) return
  const serving = new Set(pools.flatMap((pool) => hub.serving(pool)))
  const since = store.clock.now() - FAIR_AFTER_MS
  const isWanted = async (db: Queries) =>
    (await readyChanges(db, pools)).length > 0 || (await longWaiting(db, pools, since, [])).length > 0
  if (!(await isWanted(store.db))) return
  const stopped = await store.transaction(async (tx) => {
    const seats: Seats[] = []
    for (const workerId of serving) {
      const worker = await getWorker(tx, workerId)
      if (worker && worker.revokedAt === null && typeof worker.info['slots'] === 'number')
        seats.push(
          seatsOf(worker, (await listRuns(tx, { heldBy: workerId, states: LEASED_STATES }, { limit: 500 })).items),
        )
    }
    const forChanges = whoGivesWay(await readyChanges(tx, pools), seats)
    const forOthers = whoShares(await longWaiting(tx, pools, since, seats), seats)
    for (const { run, for: next } of [...forChanges, ...forOthers]) {
      const moved = await transitionRun(tx, {
        runId: run.id,
        fence: run.fence,
        from: READING,
        to: 'queued',
        reason: GAVE_WAY,
        message: `gave its slot to run ${next.id}, and is made again after it`,
        actor: SYSTEM,
      })
      await followUpIfEnded(tx, moved)
      await refreshStack(tx, run.stackId)
    }
    return [...forChanges, ...forOthers].map(({ run }) => run)
  })
  // A worker that does not hear of it learns by its next heartbeat that the run is no longer its own.
  for (const { id, workerId } of stopped)
    if (workerId !== null) hub.send(workerId, { event: 'cancel', runId: id, reason: GAVE_WAY })
}

/** Of each pool the reading run whose turn it is, where it has waited since then. */
async function longWaiting(
  db: Queries,
  pools: readonly string[],
  since: number,
  seats: readonly Seats[],
): Promise<WaitingReader[]> {
  const found: WaitingReader[] = []
  for (const pool of pools) {
    const next = await nextInLine(db, pool, { now: nowOf(db), programs: programsIn(pool, seats) })
    if (!next || !isReading(next.kind) || next.updatedAt > since) continue
    const { environment } = await requireStack(db, next.stackId)
    found.push({
      id: next.id,
      pool,
      repositoryId: next.repositoryId,
      environment,
      share: next.share,
      programs: next.programs,
    })
  }
  return found
}

/** What the workers of a pool have together; undefined where one does not say, or nobody is asked. */
function programsIn(pool: string, seats: readonly Seats[]): string[] | undefined {
  const serving = seats.filter(({ worker }) => worker.pools.includes(pool))
  const known = serving.map(({ worker }) => toolsOf(worker.info)).map((tools) => tools && Object.keys(tools))
  return known.length > 0 && known.every((names) => names !== undefined) ? [...new Set(known.flat())] : undefined
}

interface WaitingReader extends ReadyChange {
  share: string
}

/** Of the share that holds most of the slots that the run could have, the youngest reader; where that makes it fairer. */
function whoShares(waiting: readonly WaitingReader[], seats: readonly Seats[]): Giving[] {
  return waiting.flatMap((next) => {
    const fit = seats.filter(({ worker }) => couldTake(worker, next))
    if (fit.some(({ free }) => free > 0)) return []
    const readers = fit.flatMap((seat) => seat.readers)
    const heldBy = (share: string): number => readers.filter((run) => run.share === share).length
    const [most] = readers.toSorted(
      (a, b) => heldBy(b.share) - heldBy(a.share) || (b.startedAt ?? 0) - (a.startedAt ?? 0),
    )
    return most && heldBy(most.share) >= heldBy(next.share) + 2 ? [{ run: most, for: next }] : []
  })
}

const couldTake = (worker: Worker, run: ReadyChange): boolean =>
  worker.pools.includes(run.pool) && isInScope(worker, run) && hasOneOf(toolsOf(worker.info), run.programs)

interface Giving {
  run: RunSummary
  for: ReadyChange
}

function seatsOf(worker: Worker, held: readonly RunSummary[]): Seats {
  const reading = held.filter(({ kind, state }) => isReading(kind) && (READING as readonly string[]).includes(state))
  const readers = reading.toSorted((a, b) => b.priority - a.priority || (a.startedAt ?? 0) - (b.startedAt ?? 0))
  return { worker, free: Number(worker.info['slots']) - held.length, readers }
}

const isReading = (kind: RunSummary['kind']): boolean => kind === 'preview' || kind === 'drift'

/** Takes a free slot for each change where there is one, and otherwise that of a reader. */
function whoGivesWay(changes: readonly ReadyChange[], seats: readonly Seats[]): Giving[] {
  return changes.flatMap((change) => {
    const fit = seats.filter(({ worker }) => couldTake(worker, change))
    const free = fit.find((seat) => seat.free > 0)
    if (free) free.free--
    const run = free ? undefined : fit.find(({ readers }) => readers.length > 0)?.readers.pop()
    return run ? [{ run, for: change }] : []
  })
}
