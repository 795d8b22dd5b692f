import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, globSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { freePort } from '../../../../lib/testing/free-port.ts'

/** A real PostgreSQL server on loopback, for tests. Its data is in a directory of its own, and not synced to the disk unless asked. */
export interface PostgresServer {
  /** Address of a new, empty database. */
  database(): Promise<string>
  /** Address of a new database that is a copy of another, to which nobody may be connected. */
  copyOf(url: string): Promise<string>
  query(url: string, sql: string): Promise<pg.QueryResult>
  /** SIGKILL to it and its processes, as a power cut; `start` begins anew from what is on the disk. */
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** Directory of another Debian with a PostgreSQL of another version, which is then the one that is tested; needs root. */
const OTHER_ROOT = process.env['TEST_POSTGRES_ROOT']

/** `program`: the path of `postgres`, beside which `initdb` is; not that of TEST_POSTGRES_ROOT, which is found by itself. */
export async function startPostgres(program: string, { sync = false } = {}): Promise<PostgresServer> {
  // It refuses to run as root; whoever it runs as must reach its directory, which below a private TMPDIR nobody else does.
  const isRoot = process.getuid?.() === 0
  const root = OTHER_ROOT ?? ''
  const directory = mkdtempSync(join(isRoot ? `${root}/tmp` : tmpdir(), 'trueup-pg-'))
  chmodSync(directory, 0o755)
  // As the server itself sees it.
  const data = join(directory, 'data').slice(root.length)
  const programs = OTHER_ROOT === undefined ? dirname(realpathSync(program)) : programsIn(OTHER_ROOT)
  const asNobody =
    OTHER_ROOT === undefined
      ? ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups']
      : ['/usr/sbin/chroot', '--userspec=nobody:nogroup', '--groups=', OTHER_ROOT]
  const as = isRoot ? asNobody : []
  if (isRoot) execFileSync('install', ['-d', '-o', 'nobody', '-g', 'nogroup', '-m', '0700', root + data])
  const run = (name: string, argv: string[]): [string, string[]] => {
    const [first = '', ...rest] = [...as, join(programs, name), ...argv]
    return [first, rest]
  }
  const env = { PATH: process.env['PATH'], HOME: data, LC_ALL: 'C' }
  // ICU or the system's order would hide what relies on the order of bytes; the tests are to meet it.
  const init = run('initdb', ['-D', data, '-U', 'trueup', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'])
  execFileSync(...init, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const port = await freePort()
  const url = (name: string): string => `postgres://trueup@127.0.0.1:${port}/${name}`
  let server: ChildProcess | undefined
  let names = 0

  const query = async (at: string, text: string): Promise<pg.QueryResult> => {
    const client = new pg.Client(at)
    client.on('error', () => {})
    await client.connect()
    try {
      return await client.query(text)
    } finally {
      await client.end()
    }
  }
  const made = async (text: string): Promise<string> => {
    const name = `d${++names}`
    await query(url('postgres'), `create database ${name} ${text}`)
    return url(name)
  }
  const ended = (): Promise<void> =>
    new Promise((resolve) => {
      if (!server || server.exitCode !== null || server.signalCode !== null) return resolve()
      server.once('exit', () => resolve())
    })
  const self: PostgresServer = {
    query,
    database: () => made(`template template0 encoding 'UTF8' lc_collate 'C.UTF-8' lc_ctype 'C.UTF-8'`),
    copyOf: (from) => made(`template ${new URL(from).pathname.slice(1)}`),
    async start() {
      const settings = [
        `fsync=${sync ? 'on' : 'off'}`,
        `port=${port}`,
        'listen_addresses=127.0.0.1',
        `unix_socket_directories=${data}`,
      ]
      // In its own directory: what a killed server leaves in the machine's shared memory, nobody takes away.
      settings.push('max_connections=200', 'shared_buffers=64MB', 'dynamic_shared_memory_type=mmap')
      const argv = run('postgres', ['-D', data, ...settings.flatMap((setting) => ['-c', setting])])
      const starting = spawn(...argv, { env, stdio: ['ignore', 'ignore', 'pipe'] })
      let said = ''
      starting.stderr?.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-4000)))
      server = starting
      for (let left = 1800; ; left--) {
        const isUp = await query(url('postgres'), 'select 1').then(
          () => true,
          () => false,
        )
        if (isUp) return
        if (left === 0 || starting.exitCode !== null) throw new Error(`PostgreSQL does not start: ${said}`)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    },
    async kill() {
      const gone = ended()
      // Its children are in sessions of their own and end by themselves when they find it gone.
      server?.kill('SIGKILL')
      await gone
    },
    async stop() {
      const gone = ended()
      server?.kill('SIGINT')
      await gone
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await self.start()
  return self
}

/** Version of the server that `startPostgres` starts, such as 17.12; nothing where there is none, and suites are only named. */
export function versionOfPostgres(program: string): string {
  const [first = '', ...rest] =
    OTHER_ROOT === undefined ? [program] : ['/usr/sbin/chroot', OTHER_ROOT, join(programsIn(OTHER_ROOT), 'postgres')]
  const { stdout } = spawnSync(first, [...rest, '--version'], { encoding: 'utf8' })
  return /[\d.]+/.exec(stdout ?? '')?.[0] ?? ''
}

/** Where the programs of PostgreSQL are in another Debian, as seen from inside. */
function programsIn(root: string): string {
  const found = globSync('usr/lib/postgresql/*/bin', { cwd: root }).sort().at(-1)
  if (found === undefined) throw new Error(`there is no PostgreSQL in TEST_POSTGRES_ROOT=${root}`)
  return `/${found}`
}
