import { hostname, tmpdir } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { clockSkewText } from '../domain/wire/request-proof.ts'
import { canDo, CAPABILITIES, SELF } from '../domain/wire/versions.ts'
import { processRegistry } from '../lib/process/registry.ts'
import { placeOf } from '../lib/tracing/ids.ts'
import { noTracing, type Tracing } from '../lib/tracing/span.ts'
import { VERSION } from '../lib/version.ts'
import { openLink, type Link, type LinkEnds } from './connection/connect.ts'
import { httpClient, type HttpClient } from './connection/http.ts'
import { openRoute } from './connection/route.ts'
import { lockData } from './data-lock.ts'
import { enrolWith } from './enrolment.ts'
import { startHeartbeat } from './heartbeat.ts'
import { keyRotation } from './key-rotation.ts'
import { loadIdentity } from './identity.ts'
import { startLeasing } from './lease-loop.ts'
import type { Logger } from './logging.ts'
import { createFigures, serveMetrics } from './metrics.ts'
import { dataPaths, type RunnerOptions } from './options.ts'
import { openOutbox } from './outbox.ts'
import { type Grant, type ServerEvent } from './protocol.ts'
import { type RecentLines } from './recent-lines.ts'
import { recover } from './recovery.ts'
import { activeRun, type ActiveRun, type StopReason } from './runs/active-run.ts'
import { executeRun } from './runs/execute-run.ts'
import { watchRoom } from './room.ts'
import type { RunnerParts } from './runs/parts.ts'
import { openSandboxes } from './sandbox/sandbox.ts'
import { serverSource, type Source } from './runs/source.ts'
import { watchTools } from './tools-found.ts'
import { keepWatches } from './watches.ts'
import { defaultWorkspaces, openWorkspaces } from './workspace.ts'

/** Where there is no server, nothing goes this way. */
const NO_SERVER = 'http://localhost'

/** The two ways in which a worker stands: outside, with what the server gives it, or inside, with a mind of its own. */
export interface Way {
  kind: 'runner' | 'agent'
  openSource(parts: { http: HttpClient; data: string; log: Logger }): Promise<Source>
  /** Talks to somebody else than a server, which then knows of no such worker. */
  connect?(ends: LinkEnds): Link
  /** What the worker does besides its runs; ended before the source is closed. */
  alongside?(parts: RunnerParts): { close(): Promise<void> }
}

const PUSH: Way = { kind: 'runner', openSource: async ({ http }) => serverSource(http) }

export interface Runner {
  readonly workerId: string
  /**
   * Leases nothing more, gives back what has changed nothing yet, and lets the rest come to its end for `drainMs`; then
   * tools are told to stop.
   */
  stop(drainMs: number): Promise<void>
  /** Resolves when the runner has stopped, by `stop` or because the server said so. */
  readonly finished: Promise<void>
}

/**
 * Starts a runner: locks its data directory, clears up after a killed one, connects, and executes what it leases.
 * @throws DATA_LOCKED, DATA_UNWRITABLE, UNAUTHENTICATED (not enrolled and no token, or a token that is not accepted).
 */
export async function startRunner(
  options: RunnerOptions,
  log: Logger,
  {
    signal,
    way = PUSH,
    recent,
    tracing = noTracing,
  }: { signal?: AbortSignal; way?: Way; recent?: RecentLines; tracing?: Tracing } = {},
): Promise<Runner> {
  const paths = dataPaths(options.data)
  const onWait = (holder: string) => log.info({ holder }, 'waiting for the runner that holds the data directory')
  const lock = await lockData(paths.lock, options.withParent && { signal, onWait })
  // Not before: a predecessor takes the directory of workspaces with it when it ends.
  const workspaces = openWorkspaces(options.workspaces ?? defaultWorkspaces(options.data), log)
  const sandboxes = openSandboxes({ ...options.sandbox, hide: [...options.sandbox.hide, workspaces.directory] })
  // Better no worker than one whose every run fails.
  if (options.sandbox.mode === 'require') sandboxes.check()
  await recover(paths.processes, workspaces, options.graceMs, log)
  const identity = await loadIdentity(paths.identity)
  const route = openRoute(way.connect ? NO_SERVER : options.server, options.route, log)
  const enrolNow = () => enrolWith(options, { identity, log, kind: way.kind, signal, route })
  if (identity.workerId === undefined && !way.connect) await enrolNow()

  const runs = new Map<string, { run: ActiveRun; done: Promise<void> }>()
  const outbox = await openOutbox(paths.outbox, () => link, log)
  const http = httpClient(options.server, identity, route)
  const rotation = keyRotation({ identity, http, log })
  let newKeyWanted = options.rotateKey
  const sharesLog = options.shareLog && recent !== undefined
  const figures = createFigures()
  let clockSkewMs: number | null = null
  let serverCan: string[] | undefined
  let askMs: number | undefined
  const tools = await watchTools({
    env: process.env,
    log,
    async tell(found) {
      // One that is older gives runs to whoever asks, and does not know the word.
      if (!canDo(serverCan, 'tools')) return
      await link.call('tools', { tools: found })
      leasing.wake()
    },
  })
  const source = await way.openSource({ http, data: options.data, log })
  const ends: LinkEnds = {
    log,
    hello: () => ({
      ...SELF(VERSION),
      capabilities: CAPABILITIES.filter((name) => name !== 'logs' || sharesLog),
      hostname: hostname(),
      pools: options.pools,
      slots: options.slots,
      clock: Date.now(),
      tools: tools.found(),
      holding: [...active().map(({ grant: { runId, fence } }) => ({ runId, fence })), ...outbox.left()],
    }),
    onWelcome: ({ rotateKey, now, capabilities, askMs: wished }) => {
      askMs = wished
      serverCan = capabilities
      void outbox.deliverLeft()
      leasing.wake()
      figures.connected()
      clockSkewMs = now === undefined ? null : Date.now() - now
      const skew = clockSkewMs === null ? null : clockSkewText(clockSkewMs)
      if (skew) log.warn({}, `the clock of this host is ${skew} of the server's`)
      if (rotateKey || newKeyWanted || identity.isRotating) void newKey()
    },
    onEvent,
  }
  // The key may be one that a rotation has replaced without this worker hearing of it.
  const enrolAgain = async () =>
    (identity.isRotating && (await rotation.rotate())) || (options.token !== undefined && (await enrolAgainOnce()))
  const link: Link =
    way.connect?.(ends) ?? openLink({ http, identity, transport: options.transport, enrolAgain, ...ends })
  const room = watchRoom([workspaces.directory, paths.cache, tmpdir()])
  let full: string | null = null
  /** Runs wait in the queue for as long as there is no room for any. */
  const isRoom = (): boolean => {
    const missing = room.missing()
    if (missing !== null && missing !== full) log.error({ why: missing }, 'no runs are leased')
    full = missing
    return missing === null
  }
  const parts: RunnerParts = {
    link,
    source,
    outbox,
    workspaces,
    registry: processRegistry(paths.processes),
    sandboxes,
    log,
    tracing,
    cacheRoot: paths.cache,
    passEnv: options.passEnv,
    room,
    graceMs: options.graceMs,
    now: () => identity.now(),
  }
  const alongside = way.alongside?.(parts)
  const heartbeat = startHeartbeat({ link, runs: active, log })
  const watches = keepWatches({
    parts,
    busy: (stackId) => active().some((run) => run.applying && run.grant.stack.id === stackId),
  })
  const leasing = startLeasing({
    link,
    log,
    hasRoom: () => runs.size < options.slots && isRoom(),
    start,
    askMs: () => askMs,
  })

  const metrics =
    options.metrics &&
    (await serveMetrics(
      options.metrics,
      () =>
        figures.text({
          kind: way.kind,
          slots: options.slots,
          runs: runs.size,
          applying: active().filter((run) => run.applying).length,
          awayMs: link.awayMs(),
          hasRoom: room.missing() === null,
          watches: watches.count(),
          undelivered: outbox.waiting() + (source.waiting?.() ?? 0),
          clockSkewMs,
        }),
      log,
    ))

  let enrolledAgain = false
  let stopping: Promise<void> | undefined
  const finished = Promise.withResolvers<void>()
  log.info(
    { workerId: identity.workerId, data: options.data, workspaces: workspaces.directory, slots: options.slots },
    'runner started',
  )
  return { workerId: identity.workerId ?? '', stop, finished: finished.promise }

  function active(): ActiveRun[] {
    return [...runs.values()].map(({ run }) => run)
  }

  function start(grant: Grant): void {
    const key = `${grant.runId} ${grant.fence}`
    // A repeat of a grant whose answer had come through after all.
    if (runs.has(key)) return
    const run = activeRun(grant)
    const { runId, kind, driver, stack } = grant
    log.info({ runId, kind, stack: stack.name, driver, traceId: placeOf(grant.trace)?.traceId }, 'run leased')
    const began = performance.now()
    const done = executeRun(run, parts)
      .then((outcome) => figures.runEnded(grant.kind, outcome, (performance.now() - began) / 1000))
      .finally(() => {
        runs.delete(key)
        leasing.wake()
      })
    runs.set(key, { run, done })
    heartbeat.started(run)
  }

  function onEvent(event: ServerEvent): void {
    switch (event.event) {
      case 'work':
        return leasing.wake()
      case 'cancel':
        return stopRuns(({ grant }) => grant.runId === event.runId, { kind: 'canceled', why: event.reason })
      case 'replaced':
        for (const run of active()) if (run.grant.runId === event.runId) run.replace()
        return
      case 'watches':
        return watches.set(event.watches, event.of)
      case 'rotateKey':
        return void newKey()
      case 'logs':
        return void giveLog(event.request, event.lines)
      case 'shutdown':
        log.info({ reason: event.reason }, 'the server asks this runner to stop')
        void stop(options.drainMs)
    }
  }

  /** An answer that gets lost is asked for again by whoever wants it. */
  async function giveLog(request: string, count: number): Promise<void> {
    if (!sharesLog) return
    await link.call('logs', { request, lines: recent!.last(count) }).catch((thrown: unknown) => {
      log.debug({ err: thrown }, 'the log was not given')
    })
  }

  async function newKey(): Promise<void> {
    if (await rotation.rotate()) newKeyWanted = false
  }

  function stopRuns(which: (run: ActiveRun) => boolean, reason: StopReason): void {
    for (const run of active()) if (which(run)) run.stop(reason)
  }

  async function enrolAgainOnce(): Promise<boolean> {
    if (enrolledAgain) return false
    enrolledAgain = true
    await enrolNow()
    return true
  }

  function stop(drainMs: number): Promise<void> {
    if (stopping) {
      if (drainMs === 0) stopRuns(() => true, { kind: 'shutdown', why: 'this runner was told to stop at once' })
      return stopping
    }
    stopping = shutDown(drainMs).then(finished.resolve, finished.reject)
    return stopping
  }

  async function shutDown(drainMs: number): Promise<void> {
    await leasing.close()
    stopRuns((run) => !run.applying, { kind: 'shutdown', why: 'this runner stops' })
    const all = Promise.all([...runs.values()].map(({ done }) => done))
    const late = new AbortController()
    await Promise.race([all, sleep(drainMs, undefined, { signal: late.signal }).catch(() => {})])
    stopRuns(() => true, { kind: 'shutdown', why: `this runner stops, and ${drainMs / 1000} s were not enough` })
    // Tools have the grace, then reports need a connection; without one they are on the disk.
    await Promise.race([all, sleep(options.graceMs + 10_000, undefined, { signal: late.signal }).catch(() => {})])
    late.abort()
    await watches.close()
    heartbeat.close()
    tools.close()
    await metrics?.close()
    await alongside?.close()
    await link.close()
    await route.close()
    await source.close()
    workspaces.close()
    lock.release()
    log.info({}, 'runner stopped')
  }
}
