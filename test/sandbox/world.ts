import { spawn, type ChildProcess } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver, DriverContext } from '../../src/drivers/driver.ts'
import { type SourceFile, testContext, type TestContextOptions } from '../../src/drivers/testing/context.ts'
import { allProcesses } from '../../src/lib/process/proc.ts'
import { openSandboxes } from '../../src/worker/sandbox/sandbox.ts'
import { DEFAULT_LIMITS } from '../../src/worker/sandbox/settings.ts'

/** What a hostile stack is after, each with a canary of the test's own. */
export const AIMS = ['worker', 'run', 'cache', 'phase', 'loopback', 'named', 'socket', 'abstract', 'metadata', 'outside',
  'signal', 'kernel', 'outlive', 'disk', 'link'] as const // biome-ignore format: a list
export type Aim = (typeof AIMS)[number]

/** A worker with something to lose: its data, another run, another phase's tool, services on loopback and sockets. */
export interface World {
  /** Plans a hostile stack, in a sandbox or beside the worker; what the driver makes of it does not matter. */
  plan<Config>(driver: Driver<Config>, options: TestContextOptions<Config>, way: Way): Promise<void>
  /** `VEHICLE.AIM` of the attempts that came through, of either way. */
  successes(): ReadonlySet<string>
  /** Vehicles that got a program to run at all. */
  ran(): ReadonlySet<string>
  close(): Promise<void>
}
export interface Way {
  sandboxed: boolean
  /** Further paths that are seen inside: where the tool is. */
  read?: string[]
  verbs?: readonly ('validate' | 'plan')[]
  /** Named in what the attempts leave. */
  vehicles: readonly string[]
  /** The wide view, of trusted plans. */
  wide?: boolean
  /** Files that name where the workspace is. */
  placed?: (workspace: string) => { [path: string]: SourceFile }
}

const FILE_LIMIT_MIB = 2

export async function openWorld(vehicles: readonly string[]): Promise<World> {
  const root = mkdtempSync(join(tmpdir(), 'trueup-corpus-'))
  const data = join(root, 'data')
  for (const path of ['cache/other', 'outside']) mkdirSync(join(data, path), { recursive: true })
  mkdirSync(join(root, 'ws/other'), { recursive: true })
  const put = (path: string): string => {
    writeFileSync(join(root, path), `canary-${path}`)
    return join(root, path)
  }
  const sleepWord = `3${process.pid}${Date.now() % 1e6}.`
  const phase = `canary-phase-${process.pid}`
  const tool = spawn('sleep', ['3600'], { env: { APPLY_SECRET: phase }, stdio: 'ignore' })
  const http = createHttpServer((_asked, answer) => answer.end('canary-loopback'))
  const abstract = `trueup-corpus-${process.pid}-${Date.now()}`
  const greeting = (): Server => createServer((client) => client.on('error', () => {}).end('canary-socket'))
  const [socket, hidden] = [greeting(), greeting()]
  await Promise.all([
    new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve)),
    new Promise<void>((resolve) => socket.listen(join(data, 'server.sock'), resolve)),
    new Promise<void>((resolve) => hidden.listen(`\0${abstract}`, resolve)),
  ])
  const { port } = http.address() as AddressInfo
  const aims = {
    worker: put('data/identity.json'),
    run: put('ws/other/secret'),
    cache: put('data/cache/other/state'),
    phase,
    loopback: `http://127.0.0.1:${port}/`,
    named: `http://localhost:${port}/`,
    socket: join(data, 'server.sock'),
    abstract,
    outside: join(data, 'outside'),
    sleep: sleepWord,
    pid: tool.pid,
    vehicles,
  }
  const found = new Set<string>()
  const ran = new Set<string>()

  async function plan<Config>(driver: Driver<Config>, options: TestContextOptions<Config>, way: Way): Promise<void> {
    const context = await testContext(options)
    const loot = join(context.root, 'loot')
    mkdirSync(loot)
    const attack: { [path: string]: SourceFile } = {
      'attack.py': readFileSync(join(import.meta.dirname, 'attack.py')),
      'aims.json': JSON.stringify({ ...aims, loot }),
    }
    await context.write({ ...attack, ...way.placed?.(context.workspace) })
    try {
      await run(driver, context, way)
      gather(loot, way.vehicles)
    } finally {
      await context.remove()
    }
  }

  async function run<Config>(
    driver: Driver<Config>,
    context: DriverContext<Config> & { root: string; lines: string[] },
    { sandboxed, read = [], verbs = ['plan'], wide = false }: Way,
  ): Promise<void> {
    const sandboxes = openSandboxes({
      mode: 'require',
      read,
      allow: [`localhost:${port}`, `127.0.0.1:${port}`, '169.254.169.254:80'],
      limits: { ...DEFAULT_LIMITS, fileSize: FILE_LIMIT_MIB },
      hide: [data, join(root, 'ws')],
    })
    const sandbox = sandboxed
      ? await sandboxes.open({
          untrusted: !wide,
          network: [],
          workspace: { root: context.root, tree: context.workspace },
          cache: context.cache,
          log: (line) => context.lines.push(line),
        })
      : undefined
    const inside = sandbox ? { ...context, run: onLines(context, sandbox.run) } : context
    for (const verb of verbs) await driver[verb](inside).catch((thrown: unknown) => context.lines.push(String(thrown)))
    await sandbox?.close()
    if (process.env.CORPUS_SHOW) process.stderr.write(`${driver.name}: ${context.lines.join('\n')}\n`)
  }

  /** Before the context is removed: what lies there, what was written elsewhere, what still runs. */
  function gather(loot: string, of: readonly string[]): void {
    for (const vehicle of of) {
      if (lstatSync(join(loot, `${vehicle}.ran`), { throwIfNoEntry: false })) ran.add(vehicle)
      for (const aim of AIMS) {
        const file = join(loot, `${vehicle}.${aim}`)
        const status = lstatSync(file, { throwIfNoEntry: false })
        if (status?.isSymbolicLink() || (status && aim !== 'disk')) found.add(`${vehicle}.${aim}`)
        if (status && aim === 'disk' && status.size > FILE_LIMIT_MIB * 1024 * 1024) found.add(`${vehicle}.disk`)
      }
    }
    for (const pid of survivors(sleepWord)) {
      const [, number = ''] = commandOf(pid).split(sleepWord)
      found.add(`${vehicles[Number.parseInt(number, 10)]}.outlive`)
      process.kill(pid, 'SIGKILL')
    }
    for (const name of readdirSync(aims.outside)) rmSync(join(aims.outside, name))
  }

  return {
    plan,
    successes: () => found,
    ran: () => ran,
    async close() {
      for (const pid of survivors(sleepWord)) process.kill(pid, 'SIGKILL')
      await end(tool)
      http.closeAllConnections()
      await Promise.all([http, socket, hidden].map((server) => new Promise((resolve) => server.close(resolve))))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** As a run of the worker logs, so that what comes out in the log is found. */
const onLines =
  (context: { lines: string[] }, start: DriverContext<unknown>['run']): DriverContext<unknown>['run'] =>
  (spec) =>
    start({
      ...spec,
      onLine: (line, stream) => {
        if (!spec.quiet) context.lines.push(line)
        spec.onLine?.(line, stream)
      },
    })

const survivors = (word: string): number[] =>
  (allProcesses() ?? []).filter(({ pid, zombie }) => !zombie && commandOf(pid).includes(word)).map(({ pid }) => pid)

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}

const end = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => {
    child.once('exit', resolve)
    child.kill('SIGKILL')
  })
