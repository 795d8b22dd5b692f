import type { Method, Params, Result, ServerEvent } from '../../domain/wire/worker-protocol.ts'
import { isStateChanging } from '../../domain/runs/run.ts'
import { linksOf } from '../../drivers/kept-links.ts'
import { archive } from '../../git/materialise.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import { appendRunLog } from '../../store/runs/log.ts'
import type { Queries } from '../../store/database/context.ts'
import { claimRun } from '../../store/runs/claim.ts'
import { renewLeases } from '../../store/runs/lease.ts'
import { getRun, type Run, transitionRun } from '../../store/runs/runs.ts'
import { getStack, requireStack } from '../../store/stacks/stacks.ts'
import { isAnyNamed } from '../../store/stacks/variables.ts'
import { type KnownWorker, knownWorkers } from '../../store/workers/known.ts'
import { lastSeen } from '../../store/workers/last-seen.ts'
import { getWorker, isInScope } from '../../store/workers/workers.ts'
import { checkDrift, checkSoon, currentDefinition } from '../drift/schedule.ts'
import { watchOrders } from '../drift/watch-orders.ts'
import { type EngineParts, repositoryOf, workerActor } from '../parts.ts'
import { type RunSpec, specOfRun } from '../run-spec.ts'
import { followUpIfEnded } from '../run-tasks.ts'
import { replacedOf } from '../runs/replaced.ts'
import { refreshStack } from '../stacks/status.ts'
import { makeGrant } from './grant.ts'
import { createHello, noteTools } from './hello.ts'
import { createLogRequests } from './log-requests.ts'
import { lineagePack, packFile, type PackWish } from './packs.ts'
import { noteEgress } from './run-events.ts'
import { planReceived } from './plan-received.ts'
import { reportReceived } from './alone-report.ts'
import { createWorkGlance, type WorkGlance } from './work-glance.ts'
import { noteClock } from './worker-clock.ts'
import { appliedReceived, finishReceived } from './results.ts'

/** What a worker may call; every method checks the run's fencing token itself. */
export interface WorkerApi {
  call<M extends Method>(workerId: string, method: M, params: Params<M>): Promise<Result<M>>
  workspace(workerId: string, runId: string, fence: number): Promise<NodeJS.ReadableStream>
  /** A tar of the run's stack at the commit that is deployed. */
  deployed(workerId: string, runId: string, fence: number): Promise<NodeJS.ReadableStream>
  /** A tar of a deployed stack that the worker's pools serve, at the commit that is deployed. */
  watchWorkspace(workerId: string, stackId: string, commit: string): Promise<NodeJS.ReadableStream>
  /** File of a Git pack with what says how a stack should be at a commit. */
  packFile(workerId: string, wish: PackWish): Promise<string>
  /** A pack of the commits between two of a branch. */
  lineage(workerId: string, stackId: string, range: { from: string; to: string }): Promise<Buffer>
  /** The newest lines of the worker's own log; throws as `LogRequests.ask`. */
  recentLog(workerId: string, lines: number): Promise<string[]>
  /** `cut` ends the connection, when the worker is revoked. */
  subscribe(workerId: string, send: (event: ServerEvent) => void, cut?: () => void): () => void
}

const LOOK_AGAIN_MS = 1_000
/** How long a run waits that a passing fault keeps from being granted. */
const GRANT_AGAIN_MS = 10_000

export function createWorkerApi(parts: EngineParts, leasing: { open: boolean }): WorkerApi {
  const logs = createLogRequests(parts)
  const workers = knownWorkers(parts.store)
  const glance = createWorkGlance(parts)
  const methods: { [M in Method]: (workerId: string, params: Params<M>) => Promise<Result<M>> } = {
    hello: createHello(parts),
    async tools(workerId, { tools }) {
      await noteTools(parts, workerId, tools)
      return {}
    },
    async logs(workerId, { request, lines }) {
      logs.answered(workerId, request, lines)
      return {}
    },
    lease: async (workerId, params) =>
      leasing.open ? await lease(parts, glance, await workers.get(workerId), params) : { grant: null },
    async heartbeat(workerId, { runs }) {
      lastSeen(parts.store).note(workerId)
      if (runs.length === 0) return { lost: [], cancel: [], replaced: [] }
      const { leaseMs } = parts.settings
      const news = await parts.store.transaction((tx) => renewLeases(tx, workerId, runs, leaseMs))
      return { ...news, replaced: await replacedOf(parts, workerId) }
    },
    async state(workerId, { runId, fence, state }) {
      await parts.store.transaction(async (tx) => {
        const run = await heldRun(tx, workerId, runId, fence)
        if (run.state === state) return
        await transitionRun(tx, { runId, fence, to: state, actor: workerActor(workerId) })
        // A run that only reads changes nothing of its stack before it ends.
        if (isStateChanging(run.kind)) await refreshStack(tx, run.stackId)
      })
      return {}
    },
    async log(workerId, { runId, fence, ...piece }) {
      const held = { runId, fence, workerId }
      return { next: await parts.store.transaction((tx) => appendRunLog(tx, held, piece)) }
    },
    async plan(workerId, params) {
      const run = await heldRun(parts.store.db, workerId, params.runId, params.fence)
      await noteEgress(parts, run, params.egressRefused)
      return await planReceived(parts, run, params)
    },
    async applied(workerId, params) {
      await appliedReceived(parts, await heldRun(parts.store.db, workerId, params.runId, params.fence), params)
      return {}
    },
    async finish(workerId, params) {
      const run = await getRun(parts.store.db, params.runId)
      // A repeat of an answer that was lost: the run has ended under this very token.
      if (run?.fence === params.fence && run.workerId === workerId && run.finishedAt !== null && run.state !== 'lost')
        return {}
      const ended = await heldRun(parts.store.db, workerId, params.runId, params.fence)
      await noteEgress(parts, ended, params.egressRefused)
      await finishReceived(parts, ended, params)
      return {}
    },
    report: (workerId, report) => reportReceived(parts, workerId, report),
    async drifted(workerId, { stackId }) {
      await parts.store.transaction(async (tx) => {
        const worker = await getWorker(tx, workerId)
        const stack = await getStack(tx, stackId)
        const spec = stack?.deployedConfig as unknown as RunSpec | null
        if (!stack || !spec || !worker?.pools.includes(currentDefinition(stack, spec).pool)) return
        if (!isInScope(worker, stack)) return
        const check = await checkDrift(tx, stackId, { actor: workerActor(workerId), quiet: true })
        // The check that is under way may have looked before the event: look once more after it.
        if (!check.ordered) await checkSoon(tx, stackId, parts.store.clock.now() + LOOK_AGAIN_MS)
      })
      return {}
    },
  }
  return {
    call: (workerId, method, params) => methods[method](workerId, params),
    async workspace(workerId, runId, fence) {
      const run = await heldRun(parts.store.db, workerId, runId, fence)
      const { paths, definition } = specOfRun(run)
      return archive(repositoryOf(parts, run.repositoryId), run.commitOid, paths, linksOf(definition))
    },
    async deployed(workerId, runId, fence) {
      const run = await heldRun(parts.store.db, workerId, runId, fence)
      const { deployedCommit, deployedConfig } = await requireStack(parts.store.db, run.stackId)
      const spec = deployedConfig as unknown as RunSpec | null
      if (!spec || deployedCommit === null)
        throw new TrueupError('NOT_FOUND', { doing: `reading what run ${runId} replaces`, why: 'nothing is deployed' })
      return archive(repositoryOf(parts, run.repositoryId), deployedCommit, spec.paths, linksOf(spec.definition))
    },
    async watchWorkspace(workerId, stackId, commit) {
      const [worker, stack] = [await getWorker(parts.store.db, workerId), await requireStack(parts.store.db, stackId)]
      const spec = stack.deployedConfig as unknown as RunSpec | null
      if (
        !spec ||
        stack.deployedCommit !== commit ||
        !worker?.pools.includes(spec.definition.pool) ||
        !isInScope(worker, stack)
      ) {
        const why = 'this worker does not watch it at that commit'
        throw new TrueupError('NOT_FOUND', { doing: `reading stack ${stackId} at ${commit}`, why })
      }
      return archive(repositoryOf(parts, stack.repositoryId), commit, spec.paths, linksOf(spec.definition))
    },
    recentLog: (workerId, lines) => logs.ask(workerId, lines),
    packFile: (workerId, wish) => packFile(parts, workerId, wish),
    lineage: (workerId, stackId, range) => lineagePack(parts, workerId, stackId, range),
    subscribe(workerId, send, cut) {
      // Who was let in just now is known, and told at once of work that comes in this very moment.
      const there = workers.now(workerId)
      let end = parts.hub.attach(workerId, there?.pools ?? [], send, cut)
      let ended = false
      void workers
        .get(workerId)
        .then(async (worker) => {
          if (ended || !worker) return
          // It was revoked after it had been let in: nobody else will end this one.
          if (worker.revokedAt !== null) return cut?.()
          if (worker !== there) {
            end = parts.hub.attach(workerId, worker.pools, send, cut)
            send({ event: 'work' })
          }
          send({ event: 'watches', watches: await watchOrders(parts, worker.pools, worker) })
        })
        .catch((error: unknown) => parts.log.warn({ err: error, workerId }, 'telling a worker what to do'))
      return () => {
        ended = true
        end()
      }
    },
  }
}

async function heldRun(queries: Queries, workerId: string, runId: string, fence: number): Promise<Run> {
  const run = await getRun(queries, runId)
  if (run && run.fence === fence && run.workerId === workerId && run.leaseUntil !== null) return run
  const why = run ? `the run is "${run.state}" and not held under token ${fence}` : 'there is no such run'
  throw new TrueupError('LEASE_LOST', { doing: `working on run ${runId}`, why })
}

async function lease(
  parts: EngineParts,
  glance: WorkGlance,
  worker: KnownWorker | undefined,
  params: Params<'lease'>,
): Promise<Result<'lease'>> {
  if (!worker || worker.revokedAt !== null)
    throw new TrueupError('UNAUTHENTICATED', { doing: 'leasing a run', why: 'this worker is revoked' })
  if (params.clock !== undefined) await noteClock(parts, worker, params.clock)
  if (worker.draining || !(await glance.mayHave(worker.id, worker.pools))) return { grant: null }
  const workerId = worker.id
  // With a PATH of its own a stack may find what the worker does not.
  const programs = worker.programs && !(await isAnyNamed(parts.store.db, 'PATH')) ? worker.programs : undefined
  // A run that is given back at once (closed window, bad inputs) must not end the search of this call.
  for (let round = 0; round < 20; round++) {
    const request = round === 0 ? params.request : `${params.request}:${newId('r')}`
    const run = await parts.store.transaction(async (tx) => {
      const { leaseMs } = parts.settings
      const claimed = await claimRun(tx, {
        workerId,
        pools: worker.pools,
        scope: worker,
        ...(programs && { programs }),
        request,
        leaseMs,
        now: parts.store.clock.now(),
      })
      if (claimed && isStateChanging(claimed.kind)) await refreshStack(tx, claimed.stackId)
      return claimed
    })
    if (!run) return { grant: null }
    try {
      const grant = await makeGrant(parts, run)
      if (grant) return { grant }
    } catch (thrown) {
      await failUngrantable(parts, workerId, run, thrown)
    }
    await parts.store.transaction((tx) => refreshStack(tx, run.stackId))
  }
  return { grant: null }
}

/** Faults of this moment put the run back for a while; what is wrong with the run itself ends it. */
async function failUngrantable(parts: EngineParts, workerId: string, run: Run, thrown: unknown): Promise<void> {
  const error = asTrueupError(thrown, `starting run ${run.id}`)
  if (error.code === 'INTERNAL') parts.log.error({ err: thrown, runId: run.id }, 'a run cannot be granted')
  const passing = error.retryable && error.code !== 'INTERNAL'
  await parts.store.transaction(async (tx) => {
    const moved = await transitionRun(tx, {
      runId: run.id,
      fence: run.fence,
      to: passing ? 'queued' : 'failed',
      reason: error.code.toLowerCase(),
      message: error.message,
      error: error.toJSON(),
      actor: workerActor(workerId),
      ...(passing && { patch: { notBefore: parts.store.clock.now() + GRANT_AGAIN_MS } }),
    })
    await followUpIfEnded(tx, moved)
  })
}
