/**
 * Throw-away SSH hosts for tests, each with its own network, processes and file system: `test-hosts` beside this file
 * makes them, here is what tests call.
 */
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe } from 'vitest'

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'test-hosts')
const PREFIX = 'trueup-hosts-'
const START_MS = 60_000
const run = promisify(execFile)

export interface TestHost {
  /** `host1`, `host2` …, also the hostname. */
  name: string
  address: string
}

export interface TestHosts {
  /** Below the temporary directory; holds everything named here. */
  directory: string
  hosts: TestHost[]
  /** For `ssh -F`; knows the hosts by name and by address. */
  sshConfig: string
  /** OpenSSH known_hosts with the address and key of each host. */
  knownHosts: string
  /** Private key (ed25519, no passphrase) that root of each host lets in. */
  identity: string
  /** Runs a shell command as root inside host n (from 1), without SSH; gives stdout, rejects where it ends non-zero. */
  exec(n: number, command: string): Promise<string>
  /** Takes host n off the network: connections time out. */
  cutOff(n: number): Promise<void>
  /** Puts a host that was cut off back on the network. */
  reconnect(n: number): Promise<void>
  /** Kills host n with all its processes; what it wrote is gone. */
  crash(n: number): Promise<void>
  /** Ends all hosts and removes the directory. */
  close(): Promise<void>
}

/** Why hosts cannot be made here, or null where they can. */
export function hostsMissing(): string | null {
  if (process.platform !== 'linux') return 'test hosts need Linux'
  if (process.getuid?.() !== 0) return 'test hosts need root'
  for (const [tool, from] of [
    ['ip', 'iproute2'],
    ['sshd', 'openssh-server'],
    ['ssh', 'openssh-client'],
    ['unshare', 'util-linux'],
    ['pgrep', 'procps'],
  ] as const)
    if (!onPath(tool)) return `test hosts need ${tool} (apt-get install ${from})`
  return null
}

/** `describe` for tests on hosts. Where hosts cannot be made it is skipped, and the suite's name says why. */
export function describeWithHosts(title: string, suite: () => void): void {
  const missing = hostsMissing()
  const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes('hosts')
  if (missing === null || forbidden) describe(`${title} (hosts)`, suite)
  else describe.skip(`${title} (skipped: ${missing})`, suite)
}

/**
 * Starts `n` hosts (1 to 200) and waits until each answers by SSH: 0.3 s for three, 2 s for twenty (2026). Every call has
 * its own directory and network. Hosts of test processes that were killed are removed first.
 */
export async function upHosts(n: number): Promise<TestHosts> {
  const missing = hostsMissing()
  if (missing !== null) throw new Error(missing)
  await removeAbandoned()
  const directory = await mkdtemp(join(tmpdir(), PREFIX))
  const script = (...words: string[]) => run(SCRIPT, words, { timeout: START_MS, maxBuffer: 16 << 20 })
  const end = async () => void (await script('down', '--dir', directory))
  // The script takes a directory for its own only where it is empty or bears this mark.
  await writeFile(join(directory, '.test-hosts'), '')
  await writeFile(join(directory, 'owner'), `${process.pid} ${born(process.pid)}`)
  try {
    await script('up', String(n), '--dir', directory)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
  const network = (await readFile(join(directory, 'net'), 'utf8')).trim()
  const link = (host: number, state: 'up' | 'down') => run('ip', ['link', 'set', `th${network}-${host}`, state])
  return {
    directory,
    hosts: Array.from({ length: n }, (_, i) => ({ name: `host${i + 1}`, address: `10.99.${network}.${11 + i}` })),
    sshConfig: join(directory, 'ssh_config'),
    knownHosts: join(directory, 'known_hosts'),
    identity: join(directory, 'id_ed25519'),
    exec: async (host, command) => (await script('exec', '--dir', directory, String(host), command)).stdout,
    cutOff: async (host) => void (await link(host, 'down')),
    reconnect: async (host) => void (await link(host, 'up')),
    crash: async (host) => {
      process.kill(Number(await readFile(join(directory, 'hosts', String(host), 'pid'), 'utf8')), 'SIGKILL')
      // Its network goes some milliseconds after its processes; until then it would refuse connections.
      while (existsSync(`/sys/class/net/th${network}-${host}`)) await setTimeout(10)
    },
    close: end,
  }
}

async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const directory = join(tmpdir(), name)
    const owner = await readFile(join(directory, 'owner'), 'utf8').catch(() => null)
    const [pid, time] = owner?.split(' ') ?? []
    // No owner yet: another process is just making it.
    if (pid === undefined || born(Number(pid)) === time) continue
    await run(SCRIPT, ['down', '--dir', directory], { timeout: START_MS }).catch(() => {})
  }
}

/** When a process was started, in ticks since boot; empty for one that is gone. A number alone may be another's by now. */
function born(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!
  } catch {
    return ''
  }
}

/** Service programs lie in /usr/sbin, which is not on everybody's PATH. */
function onPath(tool: string): boolean {
  return [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'].some((directory) => {
    try {
      accessSync(join(directory, tool), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
