import { stat } from 'node:fs/promises'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import { checkVersion } from './check-version.ts'
import { findOnPath } from './programs.ts'
import { checkSupported } from './supported.ts'
import { ending } from './verdict.ts'

/** A program as a driver looks for it. */
export interface ToolRequest<Name extends string = string> {
  /** Names of the program, the preferred one first. */
  names: readonly [Name, ...Name[]]
  /** How to get it, as a sentence's end: `Terraform (https://…)`. */
  install: string
  /** Arguments that make it say its version; by name where the programs differ. */
  versionArguments: readonly string[] | ((name: string) => readonly string[])
  /** The version in what it said, or null where that is not its answer. Default: the first `1.2` or `1.2.3` in it. */
  readVersion?: (stdout: string, stderr: string) => string | null
  /** Added to the environment in which it is asked. */
  env?: { [name: string]: string }
}

/** The program that runs: an absolute path and its exact version. */
export interface Tool<Name extends string = string> {
  name: Name
  path: string
  version: string
}

/** path, size and time of change → version; asking a tool takes 35 ms (Terraform) to a second (Puppet) each time. */
const knownVersions = new Map<string, string>()

/**
 * Finds the tool on the run's PATH and checks its version against what the driver supports (`supported.ts`) and the stack's
 * `toolVersion`.
 * TOOL_MISSING with the install hint, TOOL_VERSION, TOOL_FAILED where it does not say a version, or CONFIG_INVALID for a
 * constraint that is no semver range.
 */
export async function findTool<Name extends string>(
  context: DriverContext<unknown>,
  request: ToolRequest<Name>,
): Promise<Tool<Name>> {
  const tool = await findToolIfAny(context, request)
  if (tool !== null) {
    checkSupported(tool)
    checkVersion(tool, context.toolVersion)
    return tool
  }
  throw new TrueupError('TOOL_MISSING', {
    doing: `looking for the tool of stack "${context.stack.name}"`,
    why: `${request.names.join(' or ')} is not on the worker's PATH`,
    next: `Install ${request.install} on the worker, or send the stack to a pool that has it.`,
  })
}

/** The tool where it is on the run's PATH, else null: for linters, which are used where they are. */
export async function findToolIfAny<Name extends string>(
  context: DriverContext<unknown>,
  request: ToolRequest<Name>,
): Promise<Tool<Name> | null> {
  for (const name of request.names) {
    const path = await findOnPath(name, context.env.PATH ?? '')
    if (path !== null) return { name, path, version: await versionOf(context, { name, path }, request) }
  }
  return null
}

/** Programs of Python and Ruby take seconds at their first start, and minutes of a machine that has much else to do. */
const ANSWER_MS = 120_000

async function versionOf<Name extends string>(
  context: DriverContext<unknown>,
  { name, path }: Pick<Tool<Name>, 'name' | 'path'>,
  request: ToolRequest<Name>,
): Promise<string> {
  const { versionArguments: all } = request
  const versionArguments = typeof all === 'function' ? all(name) : all
  const { size, mtimeMs } = await stat(path)
  const key = `${path} ${size} ${mtimeMs}`
  const known = knownVersions.get(key)
  if (known !== undefined) return known
  const result = await context.run({
    argv: [path, ...versionArguments],
    cwd: context.scratch,
    env: { PATH: context.env.PATH ?? '', HOME: context.scratch, LANG: 'C.UTF-8', ...request.env },
    timeoutMs: ANSWER_MS,
    quiet: true,
  })
  const doing = `asking ${path} for its version`
  if (result.canceled) throw new TrueupError('CANCELED', { doing, why: 'the run was canceled' })
  const version = result.exitCode === 0 ? (request.readVersion ?? firstVersion)(result.stdout, result.stderr) : null
  if (version === null) {
    throw new TrueupError('TOOL_FAILED', {
      doing,
      why: result.timedOut
        ? `it gave no answer within ${ANSWER_MS / 1000} s`
        : result.exitCode === 0
          ? 'its answer holds no version'
          : `it ended with ${ending(result)}`,
      next: `Check that the file is ${request.install} and starts on this machine.`,
    })
  }
  knownVersions.set(key, version)
  return version
}

function firstVersion(stdout: string, stderr: string): string | null {
  return /\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?/.exec(`${stdout}\n${stderr}`)?.[0] ?? null
}
