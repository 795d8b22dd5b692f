import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { type PipelineForge, pipelineForge } from '../../forges/pipeline.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { DEFAULT_LIMITS } from '../../worker/sandbox/settings.ts'
import { type Bench, openBench } from './bench.ts'
import { type Checkout, openCheckout } from './checkout.ts'
import { KEY_VARIABLE, openKey, type PipelineKey } from './key.ts'
import { sharedRefs } from './refs.ts'
import { openState, type StateStore } from './state.ts'
import { gitWay } from './git-way.ts'
import { openTrees, type Trees } from './trees.ts'
import { type Surroundings, TOKEN_VARIABLE } from './surroundings.ts'

/** Everything that one job of a pipeline works with. */
export interface Pipeline {
  checkout: Checkout
  trees: Trees
  bench: Bench
  state: StateStore
  /** Null where the job does not hold it, as those of forks do not. */
  key: PipelineKey | null
  /** Base64. */
  hash: string
  /** Null where there is none, or the job has no token for it. */
  forge: PipelineForge | null
  surroundings: Surroundings
  /** Where branches are fetched from and references are kept, as git knows it. */
  remote: string
  /** Values of the environment that nobody may read in a plan, by variable. */
  secrets: { [name: string]: string }
  readonly say: (line: string) => void
  signal: AbortSignal
}

export interface PipelineOptions {
  directory: string
  /** Kept between jobs; a private one that goes at the end where absent. */
  data?: string
  /** Default: as the CI system says, else `origin`. */
  remote?: string
  leaseMs: number
  waitMs: number
  secretEnv: readonly string[]
  env: NodeJS.ProcessEnv
  surroundings: Surroundings
  readonly say: (line: string) => void
  signal: AbortSignal
}

/** Names of variables whose values are secrets in all CI systems. Their values are hidden, whatever a tool prints. */
const SECRET_NAME = /(TOKEN|SECRET|PASSW|PASSPHRASE|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY)/i
/** What names a secret's file, and no secret. */
const NAMES_A_FILE = /_FILE$|^SSH_AUTH_SOCK$/

/** Opens what a job needs, and closes it whatever happens. */
export async function withPipeline<T>(options: PipelineOptions, use: (pipeline: Pipeline) => Promise<T>): Promise<T> {
  const { env, signal, surroundings, say } = options
  const own = await mkdtemp(join(tmpdir(), 'trueup-ci-'))
  const data = options.data === undefined ? own : resolve(options.directory, options.data)
  await mkdir(data, { recursive: true, mode: 0o700 })
  let checkout: Checkout | undefined
  try {
    const way = gitWay(surroundings, options.remote)
    checkout = await openCheckout({ directory: options.directory, data: own, env: { ...env, ...way.env } })
    const { repository } = checkout
    const text = env[KEY_VARIABLE]
    const key = text ? await openKey(text) : null
    const secrets = secretsOf(env, options.secretEnv)
    const sandbox = { mode: 'auto' as const, read: [], allow: [], limits: DEFAULT_LIMITS, hide: [] }
    const withheld = new Set([KEY_VARIABLE, TOKEN_VARIABLE])
    return await use({
      checkout,
      trees: openTrees(repository),
      bench: openBench({ data, repository, env, withheld, sandbox, signal }),
      state: openState({
        checkout,
        refs: sharedRefs(checkout, way.remote),
        key,
        leaseMs: options.leaseMs,
        waitMs: options.waitMs,
        signal,
        onWait: (stack) => say(`${stack}: another pipeline is at it, waiting`),
      }),
      key,
      hash: key?.hash ?? randomBytes(32).toString('base64'),
      forge: surroundings.place ? pipelineForge(surroundings.place) : null,
      surroundings: { ...surroundings, repository: surroundings.repository || (await nameOf(checkout, way.remote)) },
      remote: way.remote,
      secrets: Object.fromEntries(Object.entries(secrets).filter(([name]) => !withheld.has(name))),
      say,
      signal,
    })
  } finally {
    await checkout?.close()
    await rm(own, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** CANCELED where the job was told to stop. */
export function assertGoing({ signal }: Pick<Pipeline, 'signal'>, doing: string): void {
  if (signal.aborted) throw new TrueupError('CANCELED', { doing, why: 'the job was told to stop' })
}

function secretsOf(env: NodeJS.ProcessEnv, more: readonly string[]): { [name: string]: string } {
  const named = Object.entries(env).filter(
    ([name]) => more.includes(name) || (SECRET_NAME.test(name) && !NAMES_A_FILE.test(name)),
  )
  return Object.fromEntries(named.filter((pair): pair is [string, string] => Boolean(pair[1])))
}

/** The last part of where it was cloned from. */
async function nameOf({ git, root }: Checkout, remote: string): Promise<string> {
  const { exitCode, stdout } = await git(['remote', 'get-url', remote])
  return basename(exitCode === 0 ? stdout.trim().replace(/\/+$/, '') : root, '.git')
}
