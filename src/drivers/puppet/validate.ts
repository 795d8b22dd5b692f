import { join } from 'node:path'
import { z } from 'zod'
import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import { workspaceFiles } from '../hosts/workspace-files.ts'
import { isWithin } from '../paths/inside.ts'
import { checkEnded, toolFailed } from '../tools/verdict.ts'
import type { PuppetConfig } from './config.ts'
import { findSource } from './source/source.ts'
import { findLintIfAny, findPuppetIfAny } from './tool/tool.ts'

/** Files at once: argument lists have an end. */
const BATCH = 500

const Problem = z.object({ message: z.string(), file: z.string().nullish(), line: z.int().nullish() })
const ParserAnswer = z.record(z.string(), Problem)
const LintAnswer = z.array(
  z.array(
    z.object({
      message: z.string(),
      line: z.int().nullish(),
      kind: z.string(),
      check: z.string(),
      fullpath: z.string(),
    }),
  ),
)

/**
 * `puppet parser validate` of the stack's manifests and of its modules in the repository, and puppet-lint of those in its own
 * directory, without any host. A worker that only reaches hosts over SSH need not have Puppet: it says so then.
 */
export async function validate(context: DriverContext<PuppetConfig>): Promise<Finding[]> {
  const { read, list } = workspaceFiles(context)
  const source = await findSource(read, list, context.stack.path, context.config).catch((thrown: unknown) => {
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return thrown
    throw thrown
  })
  if (source instanceof TrueupError) {
    return [{ severity: 'error', message: source.message, path: context.stack.path }]
  }
  const found = await Promise.all([source.manifest, ...source.modulepath].map((path) => list(path)))
  const manifests = source.manifest.endsWith('.pp') ? [source.manifest] : []
  const files = [
    ...new Set([...manifests, ...found.flat().filter((file) => file.endsWith('.pp') && !IS_TEST.test(file))]),
  ]
  const own = files.filter((file) => isWithin(context.stack.path, file) && !IS_VENDORED.test(file))
  return [...(await parse(context, files)), ...(context.config.lint ? await lint(context, own) : [])]
}

/** Tests and plans (the language of Bolt) are no manifests. */
const IS_TEST = /\/(spec|fixtures|examples|plans)\//
/** What Puppetfiles install is checked by its authors. */
const IS_VENDORED = /(^|\/)modules\//

async function parse(context: DriverContext<PuppetConfig>, files: string[]): Promise<Finding[]> {
  const puppet = await findPuppetIfAny(context)
  if (puppet === null) {
    if (context.config.hosts === 'local') return []
    return [
      {
        severity: 'info',
        code: 'not_parsed',
        message: 'puppet is not on this worker: the plan on the hosts checks the syntax',
      },
    ]
  }
  const findings: Finding[] = []
  for (let at = 0; at < files.length; at += BATCH) {
    const doing = `validating stack "${context.stack.name}"`
    const scratch = join(context.scratch, 'parser')
    const result = await context.run({
      argv: [
        puppet.path,
        'parser',
        'validate',
        '--render-as',
        'json',
        '--confdir',
        scratch,
        '--vardir',
        scratch,
        '--',
        ...files.slice(at, at + BATCH),
      ],
      cwd: context.workspace,
      env: context.env,
      quiet: true,
      graceMs: 2_000,
    })
    checkEnded(doing, result)
    if (result.exitCode === 0) continue
    const answer = ParserAnswer.safeParse(parseJson(result.stdout)).data
    if (answer === undefined) throw toolFailed(doing, result)
    for (const [name, { message, file, line }] of Object.entries(answer)) {
      findings.push({ severity: 'error', message, path: inRepository(context, file ?? name), ...(line && { line }) })
    }
  }
  return findings
}

async function lint(context: DriverContext<PuppetConfig>, files: string[]): Promise<Finding[]> {
  const tool = files.length === 0 ? null : await findLintIfAny(context)
  if (tool === null) return []
  const doing = `checking stack "${context.stack.name}" with puppet-lint`
  const result = await context.run({
    // Its own rules may be set by a .puppet-lint.rc in the stack's directory.
    argv: [tool.path, '--json', ...files.map((file) => join(context.workspace, file))],
    cwd: context.directory,
    env: context.env,
    quiet: true,
    graceMs: 2_000,
  })
  checkEnded(doing, result)
  const answer = LintAnswer.safeParse(parseJson(result.stdout)).data
  if (answer === undefined) throw toolFailed(doing, result)
  return answer.flat().map(({ message, line, check, fullpath }) => ({
    // Style is no reason to stop a merge request; what does not parse the parser says.
    severity: 'warning' as const,
    code: `puppet-lint:${check}`,
    message,
    path: inRepository(context, fullpath),
    ...(line && { line }),
  }))
}

const inRepository = ({ workspace }: DriverContext<unknown>, path: string): string =>
  path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
