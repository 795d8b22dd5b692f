import { agreedProtocol, CAPABILITIES, disagreement, SELF } from '../../domain/wire/versions.ts'
import type { ToolsFound } from '../../domain/runs/programs.ts'
import type { Params, Result } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { VERSION } from '../../lib/version.ts'
import { listRuns, transitionRun } from '../../store/runs/runs.ts'
import { getWorker, patchWorker, touchWorker } from '../../store/workers/workers.ts'
import { type EngineParts, workerActor } from '../parts.ts'
import { followUpIfEnded } from '../run-tasks.ts'
import { refreshStack } from '../stacks/status.ts'
import { measureClock } from './worker-clock.ts'

/** A worker renews its leases three times in their length. */
const HEARTBEATS_PER_LEASE = 3
/** Events tell of runs; asking is for those that got lost. A hundred workers a second are all that do so. */
const ASK_MS = 20_000
const ASK_MS_EACH = 10

/** The first word on a connection: who it is, what it still holds, and how its clock stands. */
export async function hello(parts: EngineParts, workerId: string, params: Params<'hello'>): Promise<Result<'hello'>> {
  const self = SELF(VERSION)
  const protocol = agreedProtocol(params, self)
  if (protocol === null)
    throw new TrueupError('PROTOCOL_MISMATCH', { doing: 'letting a worker in', ...disagreement(params, self) })
  const clockSkewMs = params.clock === undefined ? null : measureClock(parts, workerId, params.clock)
  const holding = new Set(params.holding.map((held) => `${held.runId}:${held.fence}`))
  const rotateKey = await parts.store.transaction(async (tx) => {
    const { hostname, version, slots, capabilities = [], tools } = params
    const worker = await getWorker(tx, workerId)
    const { reported = null, draining = false } = worker?.info ?? {}
    const info = {
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
    await patchWorker(tx, workerId, { info })
    await touchWorker(tx, workerId)
    // What it does not hold any more and had not begun to change goes back at once; the rest runs into its lease's end.
    const states = ['leased', 'preparing', 'planning'] as const
    const { items } = await listRuns(tx, { heldBy: workerId, states: [...states] }, { limit: 500 })
    for (const run of items) {
      if (holding.has(`${run.id}:${run.fence}`)) continue
      const back = await transitionRun(tx, {
        runId: run.id,
        to: 'queued',
        from: states,
        reason: 'worker_restarted',
        actor: workerActor(workerId),
      })
      await followUpIfEnded(tx, back)
      await refreshStack(tx, run.stackId)
    }
    return worker !== undefined && worker.keyAskedAt !== null
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
    await touchWorker(tx, workerId)
  })
}
