import { join, posix } from 'node:path'
import { z } from 'zod'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { findToolIfAny } from '../../tools/find-tool.ts'
import type { AnsibleConfig } from '../config.ts'
import { isThere } from './paths.ts'

const MAX_FINDINGS = 50
const LINT_MS = 300_000

/** Code Climate's issues, which ansible-lint writes with `-f json`. */
const Issues = z.array(
  z.looseObject({
    check_name: z.string(),
    description: z.string(),
    location: z.looseObject({
      path: z.string(),
      lines: z.looseObject({ begin: z.union([z.number(), z.looseObject({ line: z.number() })]) }).optional(),
      positions: z.looseObject({ begin: z.looseObject({ line: z.number() }) }).optional(),
    }),
  }),
)

/**
 * What ansible-lint and yamllint say, where the worker has them and the stack's directory has a configuration for them: it
 * decides what it wants to hear, and ansible-lint costs ten seconds. Their findings are warnings.
 */
export async function lint(context: DriverContext<AnsibleConfig>, env: { [name: string]: string }): Promise<Finding[]> {
  const found = [...(await ansibleLint(context, env)), ...(await yamlLint(context, env))]
  if (found.length <= MAX_FINDINGS) return found
  const more = `and ${found.length - MAX_FINDINGS} more of the linters`
  return [...found.slice(0, MAX_FINDINGS), { severity: 'warning', code: 'lint', message: more }]
}

async function ansibleLint(context: DriverContext<AnsibleConfig>, env: { [name: string]: string }): Promise<Finding[]> {
  if (!(await has(context, '.ansible-lint', '.ansible-lint.yml', '.config/ansible-lint.yml'))) return []
  const tool = await findToolIfAny(context, {
    names: ['ansible-lint'],
    install: 'ansible-lint',
    versionArguments: ['--version'],
    env,
  }).catch(() => null)
  if (tool === null) return []
  const result = await context.run({
    argv: [tool.path, '--offline', '--nocolor', '-q', '-f', 'json', context.config.playbook],
    cwd: context.directory,
    env,
    quiet: true,
    timeoutMs: LINT_MS,
  })
  const issues = Issues.safeParse(readJson(result.stdout))
  if (!issues.success) return [silent('ansible-lint', result.stderr)]
  return issues.data.map(({ check_name: name, description, location }) => {
    const begin = location.lines?.begin ?? location.positions?.begin
    const line = typeof begin === 'number' ? begin : begin?.line
    return {
      severity: 'warning',
      code: 'lint',
      message: `${name}: ${description}`,
      ...place(context, location.path, line),
    }
  })
}

async function yamlLint(context: DriverContext<AnsibleConfig>, env: { [name: string]: string }): Promise<Finding[]> {
  if (!(await has(context, '.yamllint', '.yamllint.yml', '.yamllint.yaml'))) return []
  const tool = await findToolIfAny(context, {
    names: ['yamllint'],
    install: 'yamllint',
    versionArguments: ['--version'],
    env,
  }).catch(() => null)
  if (tool === null) return []
  const result = await context.run({
    argv: [tool.path, '-f', 'parsable', '.'],
    cwd: context.directory,
    env,
    quiet: true,
    timeoutMs: LINT_MS,
  })
  return [...result.stdout.matchAll(/^(.+?):(\d+):\d+: \[\w+\] (.*)$/gm)].map(([, path, line, message]) => ({
    severity: 'warning',
    code: 'lint',
    message: `yamllint: ${message}`,
    ...place(context, path!, Number(line)),
  }))
}

const has = async ({ directory }: DriverContext<unknown>, ...names: string[]): Promise<boolean> =>
  (await Promise.all(names.map((name) => isThere(join(directory, name))))).includes(true)

const place = ({ stack }: DriverContext<unknown>, path: string, line: number | undefined): Partial<Finding> => ({
  path: posix.normalize(posix.join(stack.path, path)),
  ...(line !== undefined && { line }),
})

const silent = (name: string, stderr: string): Finding => ({
  severity: 'info',
  code: 'lint_failed',
  message: `${name} could not check this: ${stderr.trim().split('\n').at(-1) || 'it said nothing'}`,
})

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
