import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { startEngine } from '../src/engine/engine.ts'
import { createRepository } from '../src/engine/repositories.ts'
import { NO_OID } from '../src/git/repository.ts'
import { startGitService } from '../src/git/service.ts'
import { systemClock } from '../src/lib/clock.ts'
import { silentLogger } from '../src/lib/log.ts'
import { buildApp } from '../src/server/app.ts'
import { createRefusals } from '../src/server/auth/refusals.ts'
import { createLoginLinks } from '../src/server/auth/login-links.ts'
import { ensureFirstAdmin } from '../src/server/auth/first-run.ts'
import { createBackups } from '../src/server/backup.ts'
import { startBuiltinRunner } from '../src/server/builtin-runner.ts'
import { createChangeHub } from '../src/server/events/hub.ts'
import { createLogger } from '../src/server/logging.ts'
import { createMetrics } from '../src/server/metrics.ts'
import { openKeys } from '../src/store/database/keys.ts'
import { postgresSize } from '../src/store/database/postgres/size.ts'
import { startPostgres } from '../src/store/database/postgres/testing/cluster.ts'
import { openStore, type Store } from '../src/store/open.ts'
import { DATABASE_FILE, REPOSITORIES_DIRECTORY } from '../src/store/store.ts'
import { NO_SANDBOX } from '../src/worker/sandbox/settings.ts'
import type { Benchmark, BenchOptions, BenchOutcome } from './harness.ts'
import { round, skip } from './harness.ts'
import { findTool } from '../test/tools.ts'
import { treeCpuSeconds } from './process-cpu.ts'

const INTERVAL_MS = 600_000
const CHECKS_A_DAY = 144
/** The month that the result is told for. */
const MONTH = { days: 30, stacks: 1_000 }
const AIM = { gigabytes: 0.4, cpuHours: 18 }
const PATIENCE_MS = 300_000

const setting = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const STACKS = setting('TRUEUP_BENCH_STACKS', MONTH.stacks)
const DAYS = setting('TRUEUP_BENCH_DAYS', MONTH.days)
/** `postgres`: rows there, with autovacuum as it comes; else the embedded database. */
const ON_POSTGRES = process.env['TRUEUP_BENCH_DATABASE'] === 'postgres'

/** What months of drift checks that find nothing cost: real server, git, runner and driver, on a clock that skips the waiting. */
export const growth: Benchmark = {
  id: 'GROWTH',
  title: `drift checks${ON_POSTGRES ? ' on PostgreSQL' : ''} of ${STACKS} stacks every 10 minutes for ${DAYS} days, told for ${MONTH.stacks} stacks and ${MONTH.days} days (--stacks, --days, --database postgres)`,
  aim: `≤ ${AIM.gigabytes} GB and ≤ ${AIM.cpuHours} CPU-hours`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  if (!ON_POSTGRES) return await live(options)
  const tool = findTool('postgres')
  if (tool === null) return skip(options, 'postgres')
  const server = await startPostgres(tool.path, { sync: true })
  try {
    return await live(options, await server.database())
  } finally {
    await server.stop()
  }
}

async function live({ directory, print }: BenchOptions, database?: string): Promise<BenchOutcome> {
  const world = await startWorld(directory, database)
  try {
    await checkAll(world)
    await checkAll(world)
    const before = await measure(world)
    const rounds = Math.max(1, Math.round(DAYS * CHECKS_A_DAY))
    for (let at = 0; at < rounds; at++) {
      world.clock.skip(INTERVAL_MS)
      await checkAll(world)
      if ((at + 1) % CHECKS_A_DAY === 0)
        print(`day ${(at + 1) / CHECKS_A_DAY}: ${JSON.stringify(await measure(world))}`)
    }
    const after = await measure(world)
    const checks = rounds * STACKS
    const bytes = (after.bytes - before.bytes) / checks
    const cpuSeconds = (after.cpuSeconds - before.cpuSeconds) / checks
    const month = MONTH.days * CHECKS_A_DAY * MONTH.stacks
    const gigabytes = (bytes * month) / 1e9
    const cpuHours = (cpuSeconds * month) / 3_600
    const auditEvents = (after.audit - before.audit) / checks
    print(`a check: ${bytes.toFixed(1)} bytes, ${auditEvents.toFixed(4)} audit events, ${cpuSeconds.toFixed(4)} CPU-s`)
    return {
      cpuRatio: null,
      wallRatio: null,
      met: gigabytes <= AIM.gigabytes && cpuHours <= AIM.cpuHours,
      pairs: 1,
      details: {
        checks,
        bytesPerCheck: round(bytes, 1),
        auditEventsPerCheck: round(auditEvents, 4),
        cpuSecondsPerCheck: round(cpuSeconds, 4),
        runsAdded: after.runs - before.runs,
        monthGigabytes: round(gigabytes),
        monthCpuHours: round(cpuHours, 1),
      },
    }
  } finally {
    await world.stop()
  }
}

interface World {
  store: Store
  file: string
  clock: { skip(ms: number): void }
  stop(): Promise<void>
}

async function measure({
  store,
  file,
}: World): Promise<{ bytes: number; audit: number; runs: number; cpuSeconds: number }> {
  const cpuSeconds = treeCpuSeconds(process.pid)
  const count = async (table: 'runs' | 'audit') =>
    Number(
      (
        await store.db
          .selectFrom(table)
          .select((row) => row.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
      ).n,
    )
  const bytes = store.dialect === 'postgres' ? (await postgresSize(store.db)).bytes : await embeddedSize(store, file)
  return { bytes, audit: await count('audit'), runs: await count('runs'), cpuSeconds }
}

async function embeddedSize(store: Store, file: string): Promise<number> {
  await sql`pragma wal_checkpoint(truncate)`.execute(store.db)
  const free = await sql<{ freelist_count: number }>`pragma freelist_count`.execute(store.db)
  const page = await sql<{ page_size: number }>`pragma page_size`.execute(store.db)
  return statSync(file).size - free.rows[0]!.freelist_count * page.rows[0]!.page_size
}

/** Every stack's check is due now, and has ended when this has. */
async function checkAll({ store }: World): Promise<void> {
  const now = store.clock.now()
  await store.db.updateTable('stacks').set({ nextDriftAt: now }).execute()
  await until(async () => {
    const behind = await store.db
      .selectFrom('stacks')
      .select('id')
      .where((is) => is.or([is('observedAt', 'is', null), is('observedAt', '<', now)]))
      .limit(1)
      .executeTakeFirst()
    const busy = await store.db
      .selectFrom('runs')
      .select('id')
      .where('finishedAt', 'is', null)
      .limit(1)
      .executeTakeFirst()
    return behind === undefined && busy === undefined
  })
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await isSo()); await new Promise((resolve) => setTimeout(resolve, 50)))
    if (Date.now() > end) throw new Error('the checks did not end')
}

/** A server as `startServer` makes it, but for the engine's clock; requests and signatures go by the real one. */
async function startWorld(directory: string, database?: string): Promise<World> {
  let skipped = 0
  const clock = { now: () => systemClock.now() + skipped }
  const dataDir = join(directory, 'data')
  const store = await openStore(dataDir, { clock, ...(database !== undefined && { database }) })
  const keys = await openKeys(dataDir, store.db)
  const { userId } = await ensureFirstAdmin(store, dataDir)
  const pushSpool = join(dataDir, 'pushes')
  mkdirSync(pushSpool)
  const git = await startGitService({ root: join(dataDir, REPOSITORIES_DIRECTORY) })
  const address = { url: '' }
  const publicUrl = () => address.url
  const engine = await startEngine({
    store,
    git,
    keys,
    log: silentLogger,
    publicUrl,
    pushSpool,
    packs: join(dataDir, 'packs'),
  })
  const onRealTime: Store = { ...store, clock: systemClock }
  const events = createChangeHub(store.changes)
  const logger = createLogger('silent')
  const app = await buildApp({
    store: onRealTime,
    git,
    keys,
    engine,
    logger,
    events,
    pushSpool,
    publicUrl,
    metrics: createMetrics(),
    backup: createBackups(dataDir),
    links: createLoginLinks(systemClock),
    refusals: createRefusals(store, logger),
    ready: () => true,
    startedAt: systemClock.now(),
  })
  address.url = await app.listen({ host: '127.0.0.1', port: 0 })
  const runner = startBuiltinRunner({
    store: onRealTime,
    log: silentLogger,
    url: address.url,
    directory: join(dataDir, 'runner'),
    workDir: join(directory, 'work'),
    slots: 2,
    logLevel: 'error',
    sandbox: NO_SANDBOX,
  })
  const world: World = {
    store,
    file: join(dataDir, DATABASE_FILE),
    clock: { skip: (ms) => void (skipped += ms) },
    async stop() {
      await runner.stop(10_000)
      await app.close()
      await engine.close()
      events.close()
      await git.close()
      await store.close()
    },
  }
  try {
    const repository = await createRepository(engine.parts, { name: 'shop', defaultBranch: 'main', actorId: userId! })
    const files = [{ path: 'trueup.yaml', content: Buffer.from(configOf(directory)) }]
    for (let at = 0; at < STACKS; at++) {
      files.push({ path: `stacks/s${at}/content`, content: Buffer.from(`${at}\n`) })
      mkdirSync(join(directory, 'targets', `s${at}`), { recursive: true })
    }
    const author = { name: 'Bench', email: 'bench@example.test', at: clock.now() }
    const bare = git.repository(repository.id)
    const commit = await bare.commitFiles({ parent: null, message: 'Begin', author, files })
    await bare.updateRef('refs/heads/main', commit, NO_OID)
    const push = { repositoryId: repository.id, userId: userId!, pushFile: join(pushSpool, 'first'), pushed: false }
    await engine.afterPush(push)
    await until(async () => {
      const deployed = await store.db
        .selectFrom('stacks')
        .select((row) => row.fn.countAll<number>().as('n'))
        .where('status', '=', 'in_sync')
        .executeTakeFirstOrThrow()
      return Number(deployed.n) === STACKS
    })
  } catch (error) {
    await world.stop()
    throw error
  }
  return world
}

const configOf = (directory: string): string => `version: 1
environments:
  production: { tier: development, drift: { mode: observe, interval: 10m } }
stacks:
${Array.from({ length: STACKS }, (_, at) => `  - { path: stacks/s${at}, driver: files, with: { target: "${directory}/targets/s${at}" } }`).join('\n')}
`
