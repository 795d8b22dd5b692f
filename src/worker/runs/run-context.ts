import { mkdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { Phase } from '../../domain/stacks/stack.ts'
import type { Driver, DriverContext } from '../../drivers/driver.ts'
import { keyedHash } from '../../lib/digest.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { textsIn } from '../../lib/json.ts'
import type { ProcessRegistry } from '../../lib/process/registry.ts'
import { runProcess } from '../../lib/process/run.ts'
import { signalUnder } from '../../lib/process/supervise.ts'
import type { Grant, WatchOrder } from '../protocol.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import type { RunTrace } from '../tracing/run-trace.ts'
import type { Workspace } from '../workspace.ts'
import type { Masker } from './masking.ts'
import { sealing } from './sealing.ts'

type OfRuns =
  | 'runId'
  | 'kind'
  | 'destroy'
  | 'toolVersion'
  | 'stateBackend'
  | 'showSecretDiff'
  | 'rollback'
  | 'request'
  | 'awaits'

/** What a context is built from. A watch order has no run, so what only runs have is optional. */
export interface ContextParts {
  order: WatchOrder & Partial<Pick<Grant, OfRuns>>
  phase: Phase
  variables: Grant['variables']
  /** What secret variables were before. */
  formerSecrets?: readonly string[]
  /** Variables of tokens and of their files. */
  tokenEnv?: { [name: string]: string }
  /** Fetches the deployed commit's files into a directory; absent where that is this commit, or none. */
  fetchDeployed?: (directory: string) => Promise<unknown>
  workspace: Workspace
  cacheRoot: string
  passEnv: readonly string[]
  masker: Masker
  registry: ProcessRegistry
  /** Where its tools run; beside the worker where absent. */
  sandbox?: Sandbox
  /** Nothing is told of its processes where absent. */
  trace?: RunTrace
  graceMs: number
  fleeting?: boolean
  signal: AbortSignal
  killSignal?: AbortSignal
  replaced?: AbortSignal
  log: (line: string) => void
}

/** The one argument of a driver's verbs, from what the server granted. Secrets are masked from here on. */
export async function buildContext<Config>(
  driver: Driver<Config>,
  parts: ContextParts,
): Promise<DriverContext<Config>> {
  const { order, workspace, masker, log } = parts
  registerSecrets(parts)
  const cache = join(parts.cacheRoot, order.stack.id.replaceAll(/[^\w.-]/g, '_'))
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const seals = sealing(order.keys.plan)
  const config = parseConfig(driver, order.driverConfig)
  const hashKey = Buffer.from(order.keys.hash, 'base64')
  return {
    stack: order.stack,
    config,
    destroy: order.destroy ?? false,
    phase: parts.phase,
    ...(order.kind && { kind: order.kind }),
    ...(order.rollback && { rollback: true }),
    ...(order.request && { request: order.request }),
    workspace: workspace.tree,
    directory: inside(workspace.tree, order.stack.path),
    ...(workspace.keptLinks && driver.keepsLinks?.(config) && { keptLinks: workspace.keptLinks }),
    scratch: workspace.scratch,
    cache,
    env: environment(parts),
    inputs: order.inputs,
    ...(order.awaits && { awaits: order.awaits }),
    ...(parts.fetchDeployed && { deployed: deployedFiles(parts.fetchDeployed, workspace) }),
    formerSecrets: parts.formerSecrets ?? [],
    ...(order.showSecretDiff && { showSecretDiff: true }),
    ignore: order.ignore,
    ...(order.toolVersion !== undefined && { toolVersion: order.toolVersion }),
    ...(order.stateBackend && { stateBackend: order.stateBackend }),
    ...(parts.fleeting && { fleeting: true }),
    signal: parts.signal,
    ...(parts.replaced && { replaced: parts.replaced }),
    hash: (value) => keyedHash(hashKey, value),
    mask: masker.add,
    log,
    seal: seals.seal,
    open: seals.open,
    run: (spec) => {
      const run = parts.sandbox?.run ?? runProcess
      const whole = {
        graceMs: parts.graceMs,
        ...spec,
        ...signalUnder(spec, parts.signal),
        ...(parts.killSignal && { kill: parts.killSignal }),
        registry: parts.registry,
        onLine: (line: string, stream: 'stdout' | 'stderr') => {
          if (!spec.quiet) log(line)
          spec.onLine?.(line, stream)
        },
      }
      return parts.trace ? parts.trace.process(whole, run) : run(whole)
    },
  }
}

/** Few drivers want them, so they are fetched when one asks, once. */
function deployedFiles(fetch: (directory: string) => Promise<unknown>, { root }: Workspace): () => Promise<string> {
  let fetched: Promise<string> | undefined
  const directory = join(root, 'deployed')
  return () => (fetched ??= fetch(directory).then(() => directory))
}

/**
 * What tools see: nothing of the runner's own environment but PATH and what the operator passes on by name. Variables may
 * replace all of that; the `TRUEUP_` names always tell the truth.
 */
function environment({ order, phase, workspace, passEnv, variables, tokenEnv }: ContextParts): {
  [name: string]: string
} {
  const passed = passEnv.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: workspace.scratch,
    TMPDIR: workspace.scratch,
    ...Object.fromEntries(passed),
    ...Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value])),
    ...tokenEnv,
    TRUEUP_REPOSITORY: order.stack.repository,
    TRUEUP_ENVIRONMENT: order.stack.environment,
    TRUEUP_STACK: order.stack.name,
    TRUEUP_COMMIT: order.commit,
    TRUEUP_PHASE: phase,
    ...(order.runId && { TRUEUP_RUN: order.runId }),
  }
}

function registerSecrets({ order, variables, formerSecrets = [], masker }: ContextParts): void {
  for (const value of formerSecrets) masker.add(value)
  for (const { value, secret } of Object.values(variables)) if (secret) masker.add(value)
  for (const { value, sensitive } of Object.values(order.inputs)) {
    if (!sensitive) continue
    if (typeof value !== 'string') masker.add(JSON.stringify(value))
    for (const part of textsIn(value)) masker.add(part)
  }
  if (order.stateBackend) masker.add(order.stateBackend.password)
}

function parseConfig<Config>(driver: Driver<Config>, given: unknown): Config {
  const parsed = driver.config.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new TrueupError('CONFIG_INVALID', {
    doing: `reading the settings of driver "${driver.name}"`,
    why: `${['with', ...(issue?.path ?? [])].join('.')}: ${issue?.message}`,
    next: "Correct the stack's `with:`; when `trueup validate` accepts it, this worker is older than the server.",
    cause: parsed.error,
  })
}

function inside(root: string, path: string): string {
  const full = resolve(root, path)
  if (full === root || full.startsWith(root + sep)) return full
  throw new TrueupError('PATH_OUTSIDE', { doing: 'preparing the workspace', why: `"${path}" leaves the repository` })
}
