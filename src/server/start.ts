import { mkdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseAuditPlace } from '../domain/audit-place.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { startTracing } from '../lib/tracing/start.ts'
import { VERSION } from '../lib/version.ts'
import { startEngine } from '../engine/engine.ts'
import { startGitService } from '../git/service.ts'
import { readSigners } from '../engine/keyrings/keyring.ts'
import { openSigningKey } from '../git/signing-key.ts'
import { REPOSITORIES_DIRECTORY } from '../store/store.ts'
import { KEYS_DIRECTORY, openKeys } from '../store/database/keys.ts'
import { openStore } from '../store/open.ts'
import { buildApp } from './app.ts'
import { createRefusals } from './auth/refusals.ts'
import { createLoginLinks, linkAddress } from './auth/login-links.ts'
import { ensureFirstAdmin } from './auth/first-run.ts'
import { clearBackups, createBackups } from './backup.ts'
import { NO_SANDBOX, type SandboxSettings } from '../worker/sandbox/settings.ts'
import { startBuiltinRunner, type BuiltinRunner } from './builtin-runner.ts'
import { createChangeHub } from './events/hub.ts'
import { writeDurably } from '../lib/durable-file.ts'
import type { App } from './auth/http-types.ts'
import { createLogger, type LogLevel } from './logging.ts'
import { countRun, createMetrics } from './metrics.ts'
import { startGitUpkeep } from './git-upkeep.ts'
import { followSpans } from './telemetry/follow.ts'
import { exportMetrics } from './telemetry/metrics.ts'
import { startUpkeep } from './upkeep.ts'

/** How a server is started. Everything but the data directory has a default. */
export interface StartOptions {
  /** Created when missing. One server process per data directory. */
  dataDir: string
  /** Address of a PostgreSQL database; the embedded one where absent. */
  database?: string
  /** Default 127.0.0.1: a server is reached from elsewhere only when someone says so. */
  host?: string
  /** Default 7420; 0 takes a free one. */
  port?: number
  /** Public address in links and Git remotes; `http://HOST:PORT` where absent. */
  publicUrl?: string
  /** Issuer in the tokens of runs, where it is not the public address. */
  issuerUrl?: string
  /** Signers that count in all repositories, as `signers:` of trueup.yaml. */
  signersFile?: string | undefined
  /** Where signed checkpoints of the audit are sent, as `domain/audit-place.ts` reads them. */
  auditCheckpoints?: readonly string[]
  logLevel?: LogLevel
  /** Slots of the built-in runner; 0 starts none. Default 2. */
  runnerSlots?: number
  /** Of the built-in runner; what it has by itself where absent. */
  sandbox?: SandboxSettings
  /** Directory for run workspaces, best on tmpfs; the runner chooses where absent. */
  workDir?: string
  /** Addresses of reverse proxies whose X-Forwarded-* headers are believed. */
  trustProxy?: string[]
  /** Default 30 000: milliseconds that running work of the built-in runner may take at shutdown. */
  drainMs?: number
  /** Milliseconds after which a run whose worker is silent counts as lost; the engine's own default where absent. */
  leaseMs?: number
}

export interface RunningServer {
  url: string
  dataDir: string
  /** File with the first administrator's token; null once that token was revoked or the file removed. */
  adminTokenFile: string | null
  /** This was the first start of this data directory. */
  firstStart: boolean
  /** A new one-time address that logs a browser in as the first administrator; null where their token is gone. */
  loginLink(): string | null
  /** Pid of the built-in runner; null where there is none at the moment. */
  runnerPid(): number | null
  /** Aborted, with the reason, once this server can do nothing any more and is to be closed; see `Store.lost`. */
  lost: AbortSignal
  /** Graceful: no more leases, open requests finish, runner stops, store closes. Safe to call twice. */
  close(): Promise<void>
}

export const DEFAULT_PORT = 7420
/** Its name in traces and metrics that are sent. */
const SERVICE = 'trueup-server'
/** Connections that the kernel keeps until they are let in; one that finds no room tries again a second later at the earliest. */
const BACKLOG = 4096

/**
 * Starts everything in one data directory: lock, store, keys, Git service, engine, HTTP, built-in runner.
 * DATA_LOCKED, DATA_UNWRITABLE, DATA_NEWER or PORT_TAKEN when it cannot; nothing is left running then.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const dataDir = resolve(options.dataDir)
  const places = (options.auditCheckpoints ?? []).map(parseAuditPlace)
  const logger = createLogger(options.logLevel ?? 'info')
  const undo: (() => Promise<unknown>)[] = []
  const close = once(async () => {
    // In reverse: what was started last leans on what was started first.
    for (const step of undo.reverse())
      await step().catch((error: unknown) => logger.error({ err: error }, 'stopping a part threw'))
  })
  try {
    const tracing = await startTracing(SERVICE, logger)
    const store = await openStore(dataDir, { log: logger, database: options.database })
    undo.push(() => store.close())
    store.lost.addEventListener('abort', () =>
      logger.fatal({ err: store.lost.reason }, 'another server has taken over'),
    )
    const keys = await openKeys(dataDir, store.db)
    const signingKey = await openSigningKey(join(dataDir, KEYS_DIRECTORY, 'signing'), 'trueup-merges')
    if (signingKey === null)
      logger.warn({}, 'there is no ssh-keygen: merges are not signed, and no agent can trust them')
    const admin = await ensureFirstAdmin(store, dataDir)
    await clearBackups(dataDir)
    const pushSpool = join(dataDir, 'pushes')
    await mkdir(pushSpool, { recursive: true, mode: 0o700 })
    const git = await startGitService({ root: join(dataDir, REPOSITORIES_DIRECTORY), log: logger })
    undo.push(() => git.close())

    const address = { url: '' }
    const publicUrl = (): string => address.url
    const settings = options.leaseMs === undefined ? {} : { leaseMs: options.leaseMs }
    const paths = { pushSpool, packs: join(dataDir, 'packs') }
    const metrics = createMetrics()
    const spans = followSpans(store, tracing, logger)
    undo.push(() => spans.close())
    const metricsExport = await exportMetrics(SERVICE, { registry: metrics.registry, log: logger })
    undo.push(async () => metricsExport?.close())
    // A list that cannot be read is said now, not with the first merge request.
    if (options.signersFile !== undefined) await readSigners(options.signersFile)
    const engine = await startEngine({
      store,
      git,
      keys,
      log: logger,
      settings,
      publicUrl,
      issuerUrl: withoutSlash(options.issuerUrl),
      signingKey,
      signersFile: options.signersFile,
      ...paths,
      onRunEnded(run) {
        countRun(metrics, run)
        spans.runEnded(run)
      },
    })
    undo.push(() => engine.close())

    const state = { ready: false }
    const links = createLoginLinks(store.clock)
    const refusals = createRefusals(store, logger)
    undo.push(() => refusals.close())
    const events = createChangeHub(store.changes)
    undo.push(async () => events.close())
    const app = await buildApp(
      {
        store,
        git,
        keys,
        engine,
        logger,
        events,
        pushSpool,
        publicUrl,
        metrics,
        backup: createBackups(dataDir, options.database),
        links,
        refusals,
        ready: () => state.ready,
        startedAt: store.clock.now(),
      },
      { trustProxy: options.trustProxy },
    )
    undo.push(() => app.close())
    const url = await listen(app, options.host ?? '127.0.0.1', options.port ?? DEFAULT_PORT)
    address.url = withoutSlash(options.publicUrl) ?? url
    const upkeep = startUpkeep(store, keys, logger, places)
    undo.push(async () => clearInterval(upkeep))
    const isUsable = (id: string): boolean => engine.parts.unusable.why(id) === null
    undo.push(startGitUpkeep({ store, git, log: logger }, isUsable))

    const runner = startRunner(options, { store, log: logger, url: url, dataDir })
    undo.push(async () => runner?.stop(options.drainMs ?? 30_000))
    const serverFile = join(dataDir, 'server.json')
    const facts = { url: url, pid: process.pid, version: VERSION, startedAt: store.clock.now() }
    await writeDurably(serverFile, `${JSON.stringify(facts)}\n`, 0o600)
    undo.push(() => rm(serverFile, { force: true }))
    state.ready = true
    undo.push(async () => {
      state.ready = false
      engine.stopLeasing()
    })
    logger.info({ url: url, dataDir, version: VERSION }, 'server started')
    return {
      url: url,
      dataDir,
      adminTokenFile: admin.file,
      firstStart: admin.created,
      loginLink: () => {
        const { userId } = admin
        return userId === null ? null : linkAddress(publicUrl(), links.make({ userId, scopes: ['admin'] }).code)
      },
      runnerPid: () => runner?.pid() ?? null,
      lost: store.lost,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const withoutSlash = (url: string | undefined): string | undefined => url?.replace(/\/+$/, '')

async function listen(app: App, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port, backlog: BACKLOG })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const doing = `listening on ${host}:${port}`
    if (code === 'EADDRINUSE')
      throw new TrueupError('PORT_TAKEN', { doing, why: 'another process listens there', cause: error })
    if (code === 'EACCES') {
      throw new TrueupError('PORT_TAKEN', {
        doing,
        why: 'this user may not listen there',
        next: 'Choose a port above 1023 with --port.',
        cause: error,
      })
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new TrueupError('INVALID_REQUEST', {
        doing,
        why: `${host} is not an address of this machine`,
        next: 'Choose another with --host: 127.0.0.1 for this machine only, 0.0.0.0 for every interface.',
        cause: error,
      })
    }
    throw error
  }
}

function startRunner(
  options: StartOptions,
  parts: Pick<Parameters<typeof startBuiltinRunner>[0], 'store' | 'log' | 'url'> & { dataDir: string },
): BuiltinRunner | null {
  const slots = options.runnerSlots ?? 2
  if (slots === 0) return null
  const { dataDir, ...rest } = parts
  const logLevel = options.logLevel ?? 'info'
  const sandbox = options.sandbox ?? { ...NO_SANDBOX, mode: 'auto', hide: [dataDir] }
  const { workDir } = options
  return startBuiltinRunner({ ...rest, slots, logLevel, directory: join(dataDir, 'runner'), workDir, sandbox })
}

function once(work: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined
  return () => (result ??= work())
}
