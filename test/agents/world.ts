import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { silentLogger } from '../../src/lib/log.ts'
import { type LiveServer, startLiveServer, until } from '../../src/server/testing/live.ts'
import { type AgentSettings, readAgentConfig } from '../../src/worker/agent/config.ts'
import { agentWay } from '../../src/worker/agent/source.ts'
import { type Runner, startRunner } from '../../src/worker/runner.ts'

/** A run as the API shows it, as far as tests look at it. */
export interface SeenRun {
  id: string
  /** `environment/name`. */
  stack: string
  kind: string
  state: string
  commit: string
  error: { code: string; why: string } | null
}

/** A server, and an agent in pool `edge` that holds `files` on this machine; merges are signed by the forge, heads by ada. */
export interface AgentWorld {
  server: LiveServer
  /** Directory of the stack `web`. */
  target: string
  allowedSigners: string
  /** Starts the agent in this process. */
  start(more?: Partial<AgentSettings>): Promise<Runner>
  /**
   * Starts `trueup agent` as a process of its own, after the words of `inside`; with `aloneAfterMs`, one that goes on alone
   * sooner than a configuration may say.
   */
  spawn(inside?: readonly string[], aloneAfterMs?: number): Promise<AgentProcess>
  /** Starts `trueup runner` for a pool, as a process of its own. */
  spawnRunner(pool: string): Promise<AgentProcess>
  /** Runs of the stack, newest first. */
  runs(): Promise<SeenRun[]>
  /** The newest run that a filter fits, when it has ended. */
  ended(fits: (run: SeenRun) => boolean): Promise<SeenRun>
  /** Opens a merge request that changes `web/motd`, or the files that are given, signed by ada unless said otherwise. */
  open(text: string, key?: string | null, files?: { [path: string]: string }): Promise<{ number: number }>
  /** The same, and merges it. */
  change(text: string, key?: string | null, files?: { [path: string]: string }): Promise<void>
  /** Makes an SSH key; answers with its file. */
  key(name: string): string
  close(): Promise<void>
}

/** A process of the agent. */
export interface AgentProcess {
  pid: number
  /** What it has logged so far. */
  log(): string
  /** SIGKILL to it alone; resolves when it is gone. */
  kill(): Promise<void>
}

/** For a busy machine; nothing here takes long by itself. */
const PATIENCE_MS = 300_000

const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']
const QUICK = join(import.meta.dirname, 'quick-agent.ts')
const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')

function agentProcess(child: ChildProcess): AgentProcess {
  let text = ''
  child.stderr!.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const gone = once(child, 'exit')
  return {
    pid: child.pid!,
    log: () => text,
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

export const configOf = (target: string, interval = '1d') => `version: 1
environments:
  production: { tier: development, workers: edge, drift: { mode: enforce, interval: ${interval} } }
stacks:
  - { path: web, driver: files, environments: [production], with: { target: ${JSON.stringify(target)} } }
`

/**
 * `config`: the repository's, a function of the target. `alone`: the agent's setting of that name, seconds. `place`: where workers have
 * their data, and the target is; beside the server's where absent.
 */
export async function startAgentWorld(
  { alone = 60, place: given, ...options }: { host?: string; leaseMs?: number; alone?: number; place?: string } = {},
  config: (target: string) => string = (target) => configOf(target),
): Promise<AgentWorld> {
  const server = await startLiveServer(
    (directory) => ({ 'trueup.yaml': config(join(given ?? directory, 'target')), 'web/motd': 'zero\n' }),
    options,
  )
  const place = given ?? server.directory
  const target = join(place, 'target')
  await mkdir(target)
  const key = (name: string): string => {
    const file = join(server.directory, `key-${name}`)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file])
    return file
  }
  const ada = key('ada')
  const allowedSigners = join(server.directory, 'allowed_signers')
  const forge = await readFile(join(server.directory, 'data', 'keys', 'signing.pub'), 'utf8')
  await writeFile(allowedSigners, `forge@shop ${forge}`)
  await appendFile(allowedSigners, `ada@shop ${await readFile(`${ada}.pub`, 'utf8')}`)
  /** A busy server may ask to come again: then so it is done. */
  const answered = async <T extends object>(path: string, member: keyof T): Promise<T> => {
    const look = async (): Promise<T> => (await server.request('GET', path)).body as T
    return await until(look, (body) => body?.[member] !== undefined, PATIENCE_MS)
  }
  const ends: (() => Promise<unknown>)[] = []
  const tokenFor = async (pool: string, name: string): Promise<string> => {
    const file = join(server.directory, name)
    if (existsSync(file)) return file
    const { body } = await server.request('POST', '/api/v1/workers/enrolments', { pools: [pool] })
    await writeFile(file, (body as { token: string }).token)
    return file
  }
  const inPlace = (data: string, workspaces: string) => ({
    data: join(place, data),
    workspaces: join(place, workspaces),
  })
  const spawned = (argv: readonly string[]): AgentProcess => {
    const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
    const worker = agentProcess(child)
    ends.push(() => worker.kill())
    return worker
  }
  /** Writes the configuration, with a token where there is none yet. */
  const configured = async (): Promise<string> => {
    const config = join(server.directory, 'agent.yaml')
    await tokenFor('edge', 'token')
    const shop = { signers: { ssh: 'allowed_signers' }, previews: 'signed' }
    const settings = { server: server.url, tokenFile: 'token', name: 'edge-1', ...inPlace('agent', 'ws') }
    await writeFile(config, stringify({ ...settings, alone, repositories: { shop } }))
    return config
  }
  const world: AgentWorld = {
    server,
    target,
    allowedSigners,
    key,
    async start(more = {}) {
      const read = { ...readAgentConfig(await configured()), ...more }
      const runner = await startRunner(read.options, silentLogger, { way: agentWay(read) })
      ends.push(() => runner.stop(0))
      return runner
    },
    async spawn(inside = [], aloneAfterMs) {
      const config = await configured()
      const program =
        aloneAfterMs === undefined ? [MAIN, 'agent', '--config', config] : [QUICK, config, String(aloneAfterMs)]
      return spawned([...inside, ...NODE, ...program])
    },
    async spawnRunner(pool) {
      const { data, workspaces } = inPlace(`runner-${pool}`, `ws-${pool}`)
      const token = await tokenFor(pool, `token-${pool}`)
      const options = ['--server', server.url, '--token-file', token, '--data', data, '--workspaces', workspaces]
      return spawned([...NODE, MAIN, 'runner', ...options, '--pools', pool, '--name', `${pool}-1`])
    },
    async runs() {
      return (await answered<{ items: SeenRun[] }>('/api/v1/repositories/shop/runs?limit=100', 'items')).items
    },
    async ended(fits) {
      const seen = await until(
        () => world.runs(),
        (runs) => {
          const found = runs.find(fits)
          return found !== undefined && ['succeeded', 'failed', 'canceled', 'lost'].includes(found.state)
        },
        PATIENCE_MS,
      )
      return await answered<SeenRun>(`/api/v1/runs/${seen.find(fits)!.id}`, 'id')
    },
    async open(text, signer = ada, files = { 'web/motd': `${text}\n` }) {
      const branch = `change-${text.replaceAll(/\W/g, '')}`
      await server.git('config', 'commit.gpgSign', signer === null ? 'false' : 'true')
      await server.git('config', 'gpg.format', 'ssh')
      await server.git('config', 'user.signingKey', signer ?? ada)
      await server.push(branch, files)
      const wish = { title: text, sourceBranch: branch, targetBranch: 'main' }
      return (await server.shop('POST', '/merge-requests', wish)).body as { number: number }
    },
    async change(text, signer = ada, files) {
      const { number } = await world.open(text, signer, files)
      await until(
        () => server.shop('GET', `/merge-requests/${number}`),
        ({ body }) => (body as { mergeable: boolean }).mergeable,
        PATIENCE_MS,
      )
      await server.shop('POST', `/merge-requests/${number}/merge`, {})
    },
    async close() {
      await Promise.all(ends.map((end) => end()))
      await server.close()
    },
  }
  return world
}
