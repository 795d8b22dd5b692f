import { availableParallelism, hostname } from 'node:os'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { TrueupError } from '../lib/errors/error.ts'
import { VERSION } from '../lib/version.ts'
import { hideOption, type SandboxGiven, sandboxSettings, withSandboxOptions } from './sandbox/options.ts'
import type { SandboxSettings } from './sandbox/settings.ts'
import { LOCAL_ADDRESS, localAddress, type LocalAddress } from './local-server.ts'
import type { RouteOptions } from './connection/route.ts'

/** Everything that can be set about a runner. */
export interface RunnerOptions {
  /** Base URL of the server: `https://trueup.example.org`. */
  server: string
  /** One-time enrolment token; needed at the first start, and when the server no longer knows this worker. */
  token?: string
  /** Holds the worker's key, its outbox, caches and process records. One runner per directory. */
  data: string
  /** How people see this worker; default the host's name. */
  name: string
  pools: string[]
  /** Runs at the same time; default one per core, since a plan keeps a core busy. */
  slots: number
  /** Where workspaces are made; default a tmpfs with room, else below `data`. */
  workspaces?: string
  /** Variables of the runner's own environment that tools get too. */
  passEnv: string[]
  /** Milliseconds between SIGINT and SIGKILL for a tool that is told to stop. */
  graceMs: number
  /** Milliseconds that runs may still take after the runner was told to stop. */
  drainMs: number
  /** Standard input is a pipe of the program that started it: when it closes, finish what runs and exit. */
  withParent: boolean
  /** Proxy, authorities and own certificate on the way to the server. */
  route: RouteOptions
  /** Make a new key at this start. */
  rotateKey: boolean
  /** Where it serves its metrics to this host; nowhere where absent. */
  metrics?: LocalAddress
  /** Whether it gives the newest lines of its own log to a server that asks. */
  shareLog: boolean
  /** `auto` tries WebSocket first. */
  transport: 'auto' | 'long-poll'
  /** How code is kept in that nobody vouches for. */
  sandbox: SandboxSettings
}

/**
 * Reads command line and environment (`TRUEUP_URL`, `TRUEUP_ENROLMENT_TOKEN`, `TRUEUP_RUNNER_*`); the command line wins.
 * Commander prints what is wrong and exits.
 */
export function parseOptions(argv: readonly string[], env: NodeJS.ProcessEnv): RunnerOptions {
  const command = new Command('trueup-runner')
    .description('Leases runs from a Trueup server and executes them here.')
    .version(VERSION)
  withRunnerOptions(command).parse([...argv], { from: 'user' })
  return runnerOptionsOf(command, env)
}

/** Gives a command every option of a runner. */
export function withRunnerOptions(command: Command): Command {
  return withSandboxOptions(command)
    .addOption(hideOption())
    .addOption(
      new Option('--server <url>', 'base URL of the server').env('TRUEUP_URL').makeOptionMandatory().argParser(url),
    )
    .addOption(new Option('--token <token>', 'one-time enrolment token').env('TRUEUP_ENROLMENT_TOKEN'))
    .addOption(new Option('--token-file <file>', 'file that holds the enrolment token (keeps it out of `ps`)'))
    .addOption(new Option('--data <dir>', 'data directory').env('TRUEUP_RUNNER_DATA').default('./trueup-runner'))
    .addOption(new Option('--name <name>', 'name of this worker').default(hostname(), "the host's name"))
    .addOption(
      new Option('--pools <names>', 'pools to serve, separated by commas')
        .env('TRUEUP_RUNNER_POOLS')
        .default(['default'])
        .argParser(list),
    )
    .addOption(
      new Option('--slots <n>', 'runs at the same time')
        .default(availableParallelism(), 'one per core')
        .argParser(count),
    )
    .addOption(new Option('--workspaces <dir>', 'where workspaces are made (default: a tmpfs with room)'))
    .addOption(
      new Option('--pass-env <names>', 'own variables that tools get too, separated by commas')
        .default([])
        .argParser(list),
    )
    .addOption(new Option('--grace <seconds>', 'between SIGINT and SIGKILL').default(10).argParser(seconds))
    .addOption(new Option('--drain <seconds>', 'for running work when told to stop').default(600).argParser(seconds))
    .addOption(new Option('--proxy <url>', 'HTTP proxy on the way to the server (default: HTTPS_PROXY, NO_PROXY …)'))
    .addOption(new Option('--no-proxy', 'no proxy, whatever the environment says'))
    .addOption(new Option('--proxy-credentials <file>', 'file that holds user:password for the proxy'))
    .addOption(
      new Option('--ca <files>', 'certificates of further authorities (PEM), separated by commas')
        .default([])
        .argParser(list),
    )
    .addOption(new Option('--cert <file>', 'certificate of this worker, for servers that ask for one (PEM)'))
    .addOption(new Option('--key <file>', 'private key of that certificate (PEM)'))
    .addOption(new Option('--rotate-key', 'replace the key of this worker by a new one').default(false))
    .addOption(
      new Option('--metrics <address>', 'address of this host for Prometheus: 127.0.0.1:7431').argParser(local),
    )
    .addOption(new Option('--no-share-log', 'never give its own log to the server'))
    .addOption(new Option('--with-parent', 'stop when standard input closes').default(false).hideHelp())
    .addOption(
      new Option('--transport <kind>', 'how to talk to the server').choices(['auto', 'long-poll']).default('auto'),
    )
}

/** What was set, of a command that has been parsed. */
export function runnerOptionsOf(command: Command, env: NodeJS.ProcessEnv): RunnerOptions {
  const given = command.opts<Given>()
  const data = resolve(env.PWD ?? process.cwd(), given.data)
  const token = given.tokenFile ? tokenIn(given.tokenFile, command) : given.token
  return {
    server: given.server,
    ...(token && { token }),
    data,
    name: given.name,
    pools: given.pools,
    slots: given.slots,
    ...(given.workspaces && { workspaces: resolve(given.workspaces) }),
    passEnv: given.passEnv,
    graceMs: given.grace * 1000,
    drainMs: given.drain * 1000,
    withParent: given.withParent,
    rotateKey: given.rotateKey,
    route: routeOf(given),
    transport: given.transport,
    sandbox: sandboxSettings(given, [data]),
    ...(given.metrics && { metrics: given.metrics }),
    shareLog: given.shareLog,
  }
}

/** As the command line has it: seconds, and the token perhaps in a file. */
interface Given extends Omit<RunnerOptions, 'graceMs' | 'drainMs' | 'route' | 'sandbox'>, SandboxGiven {
  tokenFile?: string
  /** An address; false with --no-proxy. */
  proxy?: string | false
  proxyCredentials?: string
  ca: string[]
  cert?: string
  key?: string
  grace: number
  drain: number
}

function routeOf({ proxy, proxyCredentials, ca, cert, key }: Given): RouteOptions {
  if ((cert === undefined) !== (key === undefined))
    throw new TrueupError('CONFIG_INVALID', {
      doing: 'reading the options of the runner',
      why: '--cert and --key need each other',
    })
  return {
    ...(proxy === false ? { proxy: null } : proxy !== undefined && { proxy }),
    ...(proxyCredentials !== undefined && { proxyCredentials: resolve(proxyCredentials) }),
    ca: ca.map((file) => resolve(file)),
    ...(cert !== undefined && key !== undefined && { clientCertificate: { cert: resolve(cert), key: resolve(key) } }),
  }
}

/** Absent where the file is not there: it is needed at the first start only, and secrets that were used are removed. */
function tokenIn(file: string, command: Command): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    return command.error(`error: --token-file cannot be read: ${(thrown as Error).message}`)
  }
}

function url(text: string): string {
  const parsed = URL.parse(text)
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol))
    throw new InvalidArgumentError('a URL such as https://trueup.example.org is needed.')
  return text.replace(/\/+$/, '')
}

function local(text: string): LocalAddress {
  if (!LOCAL_ADDRESS.test(text))
    throw new InvalidArgumentError('an address of the loopback is needed, such as 127.0.0.1:7431.')
  return localAddress(text)
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean)

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000)
    throw new InvalidArgumentError('a number from 1 to 1000 is needed.')
  return value
}

function seconds(text: string): number {
  const value = Number(text)
  if (!(value >= 0 && value <= 86_400)) throw new InvalidArgumentError('seconds from 0 to 86400 are needed.')
  return value
}

/** Directories below `data`. */
export const dataPaths = (data: string) => ({
  identity: join(data, 'identity.json'),
  lock: join(data, 'lock.sqlite'),
  outbox: join(data, 'outbox'),
  processes: join(data, 'processes'),
  cache: join(data, 'cache'),
  workspaces: join(data, 'workspaces'),
})
