import { join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ProcessSpec } from '../../lib/process/supervise.ts'
import type { DriverContext } from '../driver.ts'
import { type BackendChoice, chooseBackend, NO_BACKEND, writeBackend } from './tool/backend.ts'
import type { TerraformConfig } from './config.ts'
import { toolEnvironment } from './tool/environment.ts'
import { writeIgnoreRules } from './source/ignore.ts'
import { initialise } from './tool/init.ts'
import type { InitRequest } from './tool/init-request.ts'
import { type ModuleSource, readModule, sourceFiles } from './source/blocks.ts'
import { findTerraform, type TerraformTool } from './tool/tool.ts'
import { workspaceFiles } from './source/workspace-files.ts'

/** A tool in an initialised directory. */
export interface Session {
  tool: TerraformTool
  backend: BackendChoice
  source: ModuleSource
  /** What `init` has made. */
  dataDirectory: string
  /** The call for a command of the tool in the stack's directory. */
  command(...argv: string[]): Pick<ProcessSpec, 'argv' | 'cwd' | 'env'>
  /** Prepares the directory once more, from nothing: the tool said that what the cache held does not fit. */
  initialiseAgain(): Promise<void>
}

/** Opens the stack for plan and apply; the second opening in one run finds the directory ready. */
export async function openSession(context: DriverContext<TerraformConfig>): Promise<Session> {
  const source = await rootModule(context)
  if (source.files.length === 0 && !context.destroy) throw noCode(context)
  const backend = await chooseBackend(context, source)
  await writeBackend(context, backend)
  await writeIgnoreRules(context, source)
  return prepare(context, { source, backend, dataDirectory: join(context.scratch, 'terraform') })
}

/** Opens the stack for validation: no state, no credentials. */
export async function openForValidation(context: DriverContext<TerraformConfig>): Promise<Session> {
  const source = await rootModule(context)
  const dataDirectory = join(context.scratch, 'terraform-validate')
  return prepare(context, { source, backend: NO_BACKEND, dataDirectory })
}

interface Opening {
  source: ModuleSource
  backend: BackendChoice
  dataDirectory: string
}

async function prepare(context: DriverContext<TerraformConfig>, opening: Opening): Promise<Session> {
  const tool = await findTerraform(context)
  const env = await toolEnvironment(context, opening.dataDirectory)
  const request: InitRequest = { tool, env, backend: opening.backend, dataDirectory: opening.dataDirectory }
  await initialise(context, request)
  return {
    ...opening,
    tool,
    command: (...argv) => ({
      argv: [tool.path, ...argv],
      cwd: context.directory,
      env: { ...env, ...opening.backend.env },
    }),
    initialiseAgain: () => initialise(context, { ...request, fresh: true }),
  }
}

/** The tool takes an empty directory for code that wants nothing, and would plan to delete all there is. */
function noCode({ stack }: DriverContext<TerraformConfig>): TrueupError {
  return new TrueupError('SOURCE_INVALID', {
    doing: `reading stack "${stack.name}"`,
    why: `${stack.path} has no .tf, .tf.json or .tofu file: applied, that would delete everything the stack made`,
    next: 'Put the code back, or remove the stack from trueup.yaml: its `onRemove` says what then happens.',
  })
}

async function rootModule(context: DriverContext<TerraformConfig>): Promise<ModuleSource> {
  const { read, list } = workspaceFiles(context.workspace)
  const files = await sourceFiles(read, list, context.stack.path)
  return readModule(files.filter(({ path }) => !/(^|\/)trueup_\w+_override\.tf(\.json)?$/.test(path)))
}
