import { relative } from 'node:path'
import { z } from 'zod'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext } from '../../driver.ts'
import { findToolIfAny } from '../../tools/find-tool.ts'
import { checkEnded, toolFailed } from '../../tools/verdict.ts'
import type { CloudFormationConfig } from '../config.ts'
import type { SourceTemplate } from '../source/read.ts'

/** One entry of `cfn-lint --format json`. */
const Entry = z.object({
  Level: z.string(),
  Message: z.string(),
  Filename: z.string().optional(),
  Rule: z.object({ Id: z.string() }),
  Location: z.object({ Start: z.object({ LineNumber: z.number() }) }),
})

const LINTER = {
  names: ['cfn-lint'] as const,
  install: 'cfn-lint (https://github.com/aws-cloudformation/cfn-lint)',
  versionArguments: ['--version'],
}
const SEVERITIES: { readonly [level: string]: Finding['severity'] } = { Error: 'error', Warning: 'warning' }
const MAX_OUTPUT = 16 * 1024 * 1024

/** What cfn-lint says of the template; nothing where the worker does not have it. */
export async function lint(context: DriverContext<CloudFormationConfig>, template: SourceTemplate): Promise<Finding[]> {
  const tool = await findToolIfAny(context, LINTER)
  if (tool === null) return []
  const region = context.config.region ?? context.env['AWS_REGION']
  const result = await context.run({
    argv: [tool.path, '--format', 'json', ...(region ? ['--regions', region] : []), '--', template.file],
    cwd: context.directory,
    env: context.env,
    quiet: true,
    maxOutputBytes: MAX_OUTPUT,
  })
  const doing = `checking ${template.path} with cfn-lint`
  checkEnded(doing, result)
  const entries = z.array(Entry).safeParse(parsed(result.stdout))
  // Its exit code is a sum of what it found; only an answer that is none is a failure.
  if (!entries.success) throw toolFailed(doing, result)
  return entries.data.map(({ Level, Message, Rule, Location, Filename }) => ({
    severity: SEVERITIES[Level] ?? 'info',
    code: Rule.Id,
    message: Message,
    path: Filename === undefined ? template.path : pathOf(context, Filename, template),
    line: Location.Start.LineNumber,
  }))
}

function pathOf({ workspace }: DriverContext<unknown>, file: string, template: SourceTemplate): string {
  const path = relative(workspace, file)
  return file.startsWith('/') && !path.startsWith('..') ? path : template.path
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text.trim() === '' ? '[]' : text)
  } catch {
    return undefined
  }
}
