import { agreedProtocol, CAPABILITIES, disagreement, SELF } from '../../domain/wire/versions.ts'
import type { ToolsFound } from '../../domain/runs/programs.ts'
import type { Params, Result } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { canonicalJson } from '../../lib/json.ts'
import { slices } from '../../lib/slices.ts'
import { VERSION } from '../../lib/version.ts'
import type { Tx } from '../../store/database/context.ts'
import { heldUnchanged, UNCHANGED_STATES } from '../../store/runs/lease.ts'
import { transitionRun } from '../../store/runs/runs.ts'
import { getWorker, patchWorker, touchWorkers, type Worker, workersByIds } from '../../store/workers/workers.ts'
import { type EngineParts, workerActor } from '../parts.ts'
import { followUpIfEnded } from '../run-tasks.ts'
import { refreshStack } from '../stacks/status.ts'
import { measureClock, sameSkew } from './worker-clock.ts'

/** A worker renews its leases three times in their length. */
const HEARTBEATS_PER_LEASE = 3
/** Events tell of runs; asking is for those that got lost. A hundred workers a second are all that do so. */
const ASK_MS = 20_000
const ASK_MS_EACH = 10
/** Greetings that come within this time are written together, as many as `TOGETHER`. */
const GATHER_MS = 25
const TOGETHER = 10

/** The first words of workers, one call for each. */
export type Hello = (workerId: string, params: Params<'hello'>) => Promise<Result<'hello'>>

interface Greeting {
  workerId: string
  params: Params<'hello'>
  protocol: number
  /** Whether the worker is to replace its key. */
  done(rotateKey: boolean): void
  failed(thrown: unknown): void
}

/**
 * The first word on a connection: who it is, what it still holds, and how its clock stands. Those that come at about the same
 * time are one transaction: after a restart of the server all of thousands are back at once.
 */
export function createHello(parts: EngineParts): Hello {
  let waiting: Greeting[] = []
  let timer: NodeJS.Timeout | undefined
  const greet = async (greetings: readonly Greeting[]): Promise<void> => {
    try {
      const rotating = await parts.store.transaction((tx) => noteGreetings(parts, tx, greetings))
      for (const [at, greeting] of greetings.entries()) greeting.done(rotating[at]!)
    } catch (thrown) {
      if (greetings.length === 1) return greetings[0]!.failed(thrown)
      // What is wrong with one of them is not the others' fault.
      for (const greeting of greetings) await greet([greeting])
    }
  }
  const greetAll = async (): Promise<void> => {
    timer = undefined
    const all = waiting
    waiting = []
    for (let from = 0; from < all.length; from += TOGETHER) {
      await slices.turn()
      await greet(all.slice(from, from + TOGETHER))
    }
  }
  return async (workerId, params) => {
    const self = SELF(VERSION)
    const protocol = agreedProtocol(params, self)
    if (protocol === null)
      throw new TrueupError('PROTOCOL_MISMATCH', { doing: 'letting a worker in', ...disagreement(params, self) })
    if (params.clock !== undefined) measureClock(parts, workerId, params.clock)
    const rotateKey = await new Promise<boolean>((done, failed) => {
      waiting.push({ workerId, params, protocol, done, failed })
      timer ??= setTimeout(() => void greetAll(), GATHER_MS)
    })
    const { leaseMs } = parts.settings
    const heartbeatMs = Math.round(leaseMs / HEARTBEATS_PER_LEASE)
    return {
      workerId,
      protocol,
      version: self.version,
      capabilities: [...CAPABILITIES],
      leaseMs,
      heartbeatMs,
      askMs: Math.max(ASK_MS, parts.hub.count() * ASK_MS_EACH),
      now: parts.store.clock.now(),
      ...(rotateKey && { rotateKey }),
    }
  }
}

/** Whether each of them is to replace its key. */
async function noteGreetings(parts: EngineParts, tx: Tx, greetings: readonly Greeting[]): Promise<boolean[]> {
  const ids = [...new Set(greetings.map(({ workerId }) => workerId))]
  const workers = new Map((await workersByIds(tx, ids)).map((worker) => [worker.id, worker]))
  await touchWorkers(tx, ids)
  const held = await heldUnchanged(tx, ids)
  for (const { workerId, params, protocol } of greetings) {
    const before = workers.get(workerId)
    const info = infoOf(params, { protocol, before: before?.info ?? {}, now: parts.store.clock.now() })
    // Who was away for a moment says what it said before.
    if (canonicalJson(info) !== canonicalJson(before?.info ?? null))
      workers.set(workerId, await patchWorker(tx, workerId, { info }))
  }
  const holding = new Map(greetings.map(({ workerId, params }) => [workerId, params.holding]))
  for (const run of held) {
    // What it does not hold any more and had not begun to change goes back at once; the rest runs into its lease's end.
    const still = holding.get(run.workerId)?.some(({ runId, fence }) => runId === run.id && fence === run.fence)
    if (still) continue
    const back = await transitionRun(tx, {
      runId: run.id,
      to: 'queued',
      from: UNCHANGED_STATES,
      reason: 'worker_restarted',
      actor: workerActor(run.workerId),
    })
    await followUpIfEnded(tx, back)
    await refreshStack(tx, run.stackId)
  }
  return greetings.map(({ workerId }) => (workers.get(workerId)?.keyAskedAt ?? null) !== null)
}

/** What is kept of what a worker says of itself. */
function infoOf(
  { hostname, version, slots, capabilities = [], tools, clock }: Params<'hello'>,
  { protocol, before, now }: { protocol: number; before: Worker['info']; now: number },
): Worker['info'] {
  const { reported = null, draining = false } = before
  const clockSkewMs = clock === undefined ? null : sameSkew(before['clockSkewMs'], clock - now)
  return {
    hostname,
    version,
    slots,
    protocol,
    capabilities,
    reported,
    draining,
    clockSkewMs,
    ...(tools && { tools }),
  }
}

/** Notes that the programs of a worker have changed while it stayed connected. */
export async function noteTools(
  { store }: Pick<EngineParts, 'store'>,
  workerId: string,
  tools: ToolsFound,
): Promise<void> {
  await store.transaction(async (tx) => {
    const worker = await getWorker(tx, workerId)
    if (!worker) return
    await patchWorker(tx, workerId, { info: { ...worker.info, tools } })
    await touchWorkers(tx, [workerId])
  })
}
