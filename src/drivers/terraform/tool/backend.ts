import { mkdir, rm, writeFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { TerraformConfig } from '../config.ts'
import { insideWorkspace } from '../../paths/inside.ts'
import type { ModuleSource } from '../source/blocks.ts'

/**
 * Where the state lives.
 * - `own`: the code has a `backend` or `cloud` block that outlives the run; it is respected.
 * - `trueup`: the code has none, the run came with credentials of Trueup's HTTP backend.
 * - `local`: neither (a plan on a laptop without a server): a file in the stack's cache.
 * - `none`: for validation, which needs no state.
 */
export interface BackendChoice {
  kind: 'own' | 'trueup' | 'local' | 'none'
  /** Settings by environment: a password given by argument or file would be stored in the plan file. */
  env: { [name: string]: string }
  /** Arguments of `init`. */
  arguments: string[]
  /** Text of the generated override file, or null. */
  override: string | null
}

/** Terraform merges files whose name ends in `_override` over the others. Written into the run's private workspace only. */
const OVERRIDE_FILE = 'trueup_backend_override.tf'

/** Three attempts in seven seconds: a plan that cannot reach the state had better say so. */
const HTTP_RETRIES = { TF_HTTP_RETRY_MAX: '3', TF_HTTP_RETRY_WAIT_MIN: '1', TF_HTTP_RETRY_WAIT_MAX: '4' }

/** For an apply: a server that restarts in the middle must not cost the state, so it is tried for a minute and a half. */
export const PATIENT_RETRIES = { TF_HTTP_RETRY_MAX: '10', TF_HTTP_RETRY_WAIT_MIN: '1', TF_HTTP_RETRY_WAIT_MAX: '15' }

/** Decides where the state lives; writes nothing. */
export async function chooseBackend(
  context: DriverContext<TerraformConfig>,
  source: ModuleSource,
): Promise<BackendChoice> {
  const { config, stateBackend } = context
  if (source.backend !== null && !isThrownAway(source, config)) {
    const files = await Promise.all(config.backendConfigFiles.map((file) => insideWorkspace(context, file)))
    return {
      kind: 'own',
      env: config.workspace === undefined ? {} : { TF_WORKSPACE: config.workspace },
      arguments: [
        ...files.map((file) => `-backend-config=${file}`),
        ...Object.entries(config.backendConfig).map(([name, value]) => `-backend-config=${name}=${value}`),
      ],
      override: null,
    }
  }
  if (source.backend !== null) {
    context.log('the code says backend "local", in a directory that goes with this run: Trueup keeps the state instead')
  }
  const state = config.stateName ?? config.workspace ?? 'default'
  if (stateBackend === undefined) {
    if (context.fleeting) throw homeless(context.stack.name)
    const path = join(context.cache, 'state', `${state}.tfstate`)
    return { kind: 'local', env: {}, arguments: [], override: backendBlock('local', { path }) }
  }
  context.mask(stateBackend.password)
  const address = `${stateBackend.address.replace(/\/$/, '')}/${encodeURIComponent(state)}`
  return {
    kind: 'trueup',
    env: {
      TF_HTTP_ADDRESS: address,
      TF_HTTP_LOCK_ADDRESS: address,
      TF_HTTP_UNLOCK_ADDRESS: address,
      TF_HTTP_USERNAME: stateBackend.username,
      TF_HTTP_PASSWORD: stateBackend.password,
      ...HTTP_RETRIES,
    },
    arguments: [],
    override: backendBlock('http', {}),
  }
}

const homeless = (stack: string): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: `choosing where the state of ${stack} lives`,
    why: 'the code has no backend that outlives the job, and a pipeline without a server keeps none',
    next: 'Add a `backend` block (a bucket, GitLab by `http`), or let a Trueup server deploy the stack.',
  })

/**
 * A `local` backend with a relative path, or none, is a file in the run's private workspace: it would go with the run, and
 * the next run would make everything once more.
 */
function isThrownAway(source: ModuleSource, config: TerraformConfig): boolean {
  if (source.backend !== 'local' || config.backendConfigFiles.length > 0) return false
  const { path, workspace_dir: directory } = { ...source.backendSettings, ...config.backendConfig }
  return ![path, directory].some((place) => typeof place === 'string' && isAbsolute(place))
}

/** Validation looks at the source only. */
export const NO_BACKEND: BackendChoice = { kind: 'none', env: {}, arguments: ['-backend=false'], override: null }

/** Puts the choice into the workspace, and takes an older one away. */
export async function writeBackend(context: DriverContext<TerraformConfig>, choice: BackendChoice): Promise<void> {
  const file = join(context.directory, OVERRIDE_FILE)
  if (choice.kind === 'local') await mkdir(join(context.cache, 'state'), { recursive: true, mode: 0o700 })
  if (choice.override === null) await rm(file, { force: true })
  else await writeFile(file, choice.override, { mode: 0o600 })
}

function backendBlock(type: string, settings: { [name: string]: string }): string {
  const lines = Object.entries(settings).map(([name, value]) => `    ${name} = ${hclString(value)}\n`)
  return `terraform {\n  backend "${type}" {\n${lines.join('')}  }\n}\n`
}

/** JSON strings are HCL strings once template openings are doubled. */
function hclString(value: string): string {
  return JSON.stringify(value).replaceAll('${', '$${').replaceAll('%{', '%%{')
}
