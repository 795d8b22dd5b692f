import { access, constants, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import semver from 'semver'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import type { TerraformConfig } from './config.ts'

/** The program that plans and applies: an absolute path and its exact version. */
export interface Tool {
  name: 'terraform' | 'tofu'
  path: string
  version: string
}

const VersionAnswer = z.object({ terraform_version: z.string() })
/** path, size and time of change → version; asking the tool takes about 35 ms each time. */
const knownVersions = new Map<string, string>()

/**
 * Finds the tool on the run's PATH and checks its version against the stack's constraint.
 * TOOL_MISSING with the install hint, TOOL_VERSION, or CONFIG_INVALID for a constraint that is no semver range.
 */
export async function findTool(context: DriverContext<TerraformConfig>): Promise<Tool> {
  const wanted = context.config.tool
  const names = wanted === 'auto' ? (['terraform', 'tofu'] as const) : ([wanted] as const)
  for (const name of names) {
    const path = await findOnPath(name, context.env.PATH ?? '')
    if (path === null) continue
    const tool = { name, path, version: await versionOf(context, path) }
    checkConstraint(context, tool)
    return tool
  }
  throw new TrueupError('TOOL_MISSING', {
    doing: `looking for the tool of stack "${context.stack.name}"`,
    why: `${names.join(' or ')} is not on the worker's PATH`,
    next: `Install ${names.length > 1 ? 'Terraform or OpenTofu' : names[0] === 'tofu' ? 'OpenTofu (https://opentofu.org/docs/intro/install)' : 'Terraform (https://developer.hashicorp.com/terraform/install)'} on the worker, or send the stack to a pool that has it.`,
  })
}

async function versionOf(context: DriverContext<TerraformConfig>, path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path)
  const key = `${path} ${size} ${mtimeMs}`
  const known = knownVersions.get(key)
  if (known !== undefined) return known
  const result = await context.run({
    argv: [path, 'version', '-json'],
    cwd: context.scratch,
    env: { PATH: context.env.PATH ?? '', HOME: context.scratch, CHECKPOINT_DISABLE: '1' },
    timeoutMs: 30_000,
    quiet: true,
  })
  const doing = `asking ${path} for its version`
  if (result.canceled) throw new TrueupError('CANCELED', { doing, why: 'the run was canceled' })
  const answer = VersionAnswer.safeParse(parseJson(result.stdout))
  if (result.exitCode !== 0 || !answer.success) {
    throw new TrueupError('TOOL_FAILED', {
      doing,
      why: result.exitCode === 0 ? 'it did not answer with JSON' : `it ended with ${result.exitCode ?? result.signal}`,
      next: 'Check that the file is Terraform 0.13 or newer, or OpenTofu, and starts on this machine.',
    })
  }
  knownVersions.set(key, answer.data.terraform_version)
  return answer.data.terraform_version
}

function checkConstraint(context: DriverContext<TerraformConfig>, tool: Tool): void {
  const range = context.toolVersion
  if (range === undefined) return
  if (semver.validRange(range) === null) {
    throw new TrueupError('CONFIG_INVALID', {
      doing: `reading toolVersion of stack "${context.stack.name}"`,
      why: `"${range}" is not a version range`,
      next: 'Write it as npm does: ">=1.6 <2", "~1.9", "1.11.4".',
    })
  }
  if (semver.satisfies(tool.version, range, { includePrerelease: true })) return
  throw new TrueupError('TOOL_VERSION', {
    doing: `choosing the tool of stack "${context.stack.name}"`,
    why: `${tool.path} is ${tool.name} ${tool.version}, the stack wants ${range}`,
    details: { tool: tool.name, version: tool.version, wanted: range },
  })
}

async function findOnPath(name: string, path: string): Promise<string | null> {
  for (const directory of path.split(delimiter)) {
    if (directory === '') continue
    const candidate = join(directory, name)
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found && (await stat(candidate)).isFile()) return candidate
  }
  return null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
