import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEndpoint } from '../../domain/sandbox/endpoint.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { runProcess } from '../../lib/process/run.ts'
import type { ProcessResult, ProcessSpec } from '../../lib/process/supervise.ts'
import { type Bubblewrap, findBubblewrap, sandboxed } from './bubblewrap.ts'
import { type Egress, openEgress } from './egress/proxy.ts'
import { openForward } from './egress/forward.ts'
import { limitError, limitReached, type LimitCode } from './limits.ts'
import type { SandboxSettings } from './settings.ts'
import { sweep } from './sweep.ts'
import { behindLink, viewArguments } from './view.ts'
import { watchLimits } from './watcher.ts'

/** What of a run decides how its sandbox looks. */
export interface SandboxOrder {
  /** Nobody vouches for the code: it sees the system and its own files, not the machine. */
  untrusted: boolean
  /** `host:port` of what it may reach. */
  network: readonly string[]
  /** Base URL of a service of the server that this run has the credentials of. */
  service?: string
  workspace: { root: string; tree: string }
  /** A directory that outlives the run; nothing else of the worker's cache is seen. */
  cache: string
  log: (line: string) => void
  /** Hears what the tools were not let to reach. */
  refused?: (target: string) => void
}

/** Starts the tools of one run inside. */
export interface Sandbox {
  readonly run: (spec: ProcessSpec) => Promise<ProcessResult>
  close(): Promise<void>
}

/** The sandboxes of one worker. */
export interface Sandboxes {
  readonly settings: SandboxSettings
  /** @throws SANDBOX_UNAVAILABLE with the reason, where this machine cannot make one. */
  check(): void
  open(order: SandboxOrder): Promise<Sandbox>
}

/** Port of the proxy inside, on a loopback that nobody else is on. */
const PROXY_PORT = 3128
const INSIDE = '/run/trueup'
const BRIDGE = fileURLToPath(
  new URL(`egress/bridge${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

export function openSandboxes(settings: SandboxSettings): Sandboxes {
  const path = process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin'
  let found: Bubblewrap | undefined
  const views = new Map<boolean, string[]>()
  const viewOf = (wide: boolean): string[] => {
    const known = views.get(wide) ?? viewArguments({ wide, read: settings.read, hide: settings.hide, path })
    views.set(wide, known)
    return known
  }

  function bubblewrap(): Exclude<Bubblewrap, { why: string }> {
    found ??= findBubblewrap(path)
    if (found.why === undefined) return found
    const { why, next } = found
    // Somebody may install it now: it is looked for anew.
    found = undefined
    throw new TrueupError('SANDBOX_UNAVAILABLE', { doing: 'making a sandbox', why, next })
  }

  async function open(order: SandboxOrder): Promise<Sandbox> {
    const made = bubblewrap()
    const { root, tree } = order.workspace
    const outside = await openWays(order, settings)
    let active = 0

    async function run(spec: ProcessSpec): Promise<ProcessResult> {
      const [program = ''] = spec.argv
      const behind = behindLink(program, path)
      const mounts = [
        ...(behind === null ? [] : ['--ro-bind', behind, behind]),
        ...outside.mounts,
        '--bind', root, root, '--bind', order.cache, order.cache,
      ] // biome-ignore format: words of one command
      const shape = { view: viewOf(!order.untrusted), mounts, cwd: spec.cwd ?? root, limits: settings.limits }
      const argv = sandboxed(made, shape, [...outside.wrapper, ...spec.argv])
      const env = { ...spec.env, ...outside.env }
      const stop = new AbortController()
      let reached: LimitCode | null = null
      const onLimit = (code: LimitCode): void => {
        reached = code
        stop.abort()
      }
      let watcher: { stop(): void } | undefined
      active++
      try {
        const result = await runProcess({
          ...spec,
          argv,
          env,
          kill: spec.kill ? AbortSignal.any([spec.kill, stop.signal]) : stop.signal,
          onStart: (pid) => {
            spec.onStart?.(pid)
            watcher = watchLimits({ pid, limits: settings.limits, directories: [root, order.cache] }, onLimit)
          },
        })
        const code = reached ?? (result.canceled || result.timedOut ? null : limitReached(result))
        if (code !== null) throw limitError(code, program, settings.limits)
        checkStarted(program, result)
        return result
      } finally {
        watcher?.stop()
        // While another is at work, it could put anew what is taken away here.
        if (--active === 0)
          for (const gone of await sweep(tree, [root, order.cache]))
            order.log(`sandbox: ${gone} leads out of it and is removed`)
      }
    }
    return { run, close: () => outside.close() }
  }
  return { settings, check: () => void bubblewrap(), open }
}

/** What `env`, or bubblewrap itself, says of a program that cannot be started. */
function checkStarted(program: string, { exitCode, stderr }: ProcessResult): void {
  if (exitCode !== 126 && exitCode !== 127 && exitCode !== 1) return
  const [, said] = /^(?:\/usr\/bin\/env: |bwrap: (?=Can't|execvp|No ))(.*)/m.exec(stderr) ?? []
  if (said === undefined || (exitCode === 1 && !stderr.startsWith('bwrap: '))) return
  throw new TrueupError('TOOL_MISSING', {
    doing: `starting ${program} in its sandbox`,
    why: said,
    next: 'Install it where everybody has it (/usr, or a directory on the PATH of the worker), or show it: --sandbox-read.',
  })
}

interface Ways {
  mounts: readonly string[]
  env: { [name: string]: string }
  wrapper: readonly string[]
  close(): Promise<void>
}

/** The ways out that a run has; a run without any costs nothing. */
async function openWays({ network, service, log, refused }: SandboxOrder, { allow }: SandboxSettings): Promise<Ways> {
  const allowed = [...network, ...allow].flatMap((text) => parseEndpoint(text) ?? [])
  const served = service === undefined ? null : URL.parse(service)
  if (allowed.length === 0 && served === null)
    return { mounts: [], env: {}, wrapper: [], close: () => Promise.resolve() }
  const directory = await mkdtemp(join(tmpdir(), 'trueup-egress-'))
  const open: Egress[] = []
  const forwards: string[] = []
  const close = async (): Promise<void> => {
    await Promise.all(open.map((each) => each.close()))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    const port = served && Number(served.port || (served.protocol === 'https:' ? 443 : 80))
    const isLocal = served !== null && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(served.hostname)
    if (served !== null && isLocal) {
      open.push(await openForward(join(directory, 'service'), { host: served.hostname, port: port! }))
      forwards.push(`${port}=${INSIDE}/service`)
    }
    const own = served !== null && !isLocal ? parseEndpoint(`${served.hostname}:${port}`) : null
    open.push(await openEgress(join(directory, 'proxy'), { allowed: own ? [...allowed, own] : allowed, log, refused }))
    forwards.push(`${PROXY_PORT}=${INSIDE}/proxy`)
  } catch (thrown) {
    await close()
    throw thrown
  }
  const proxy = `http://127.0.0.1:${PROXY_PORT}`
  const none = 'localhost,127.0.0.1,::1'
  const shown = [dirname(process.execPath), dirname(BRIDGE)]
  return {
    mounts: [...shown.flatMap((each) => ['--ro-bind', each, each]), '--bind', directory, INSIDE],
    env: {
      ...Object.fromEntries(['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'].map((name) => [name, proxy])),
      NO_PROXY: none,
      no_proxy: none,
    },
    wrapper: [process.execPath, '--disable-warning=ExperimentalWarning', BRIDGE, ...forwards, '--'],
    close,
  }
}
