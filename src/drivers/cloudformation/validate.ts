import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import { checkTemplate } from './checks/template.ts'
import { lint } from './checks/lint.ts'
import type { CloudFormationConfig } from './config.ts'
import { wantedPolicy } from './plan/settings.ts'
import { packageTemplate } from './source/artefacts.ts'
import { localReferences } from './source/local-references.ts'
import { parameterValues } from './source/parameters.ts'
import { readNested, readTemplate, type SourceTemplate } from './source/read.ts'

/**
 * What can be said without AWS: syntax, references, parameters, paths; and what cfn-lint says where the worker has it.
 * Secrets of the environment need not be there.
 */
export async function validate(context: DriverContext<CloudFormationConfig>): Promise<Finding[]> {
  const findings: Finding[] = []
  const collect = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (thrown) {
      if (!(thrown instanceof TrueupError) || !FINDINGS.has(thrown.code)) throw thrown
      findings.push(findingOf(thrown))
      return undefined
    }
  }
  const template = await collect(() => readTemplate(context))
  await collect(() => wantedPolicy(context))
  if (template === undefined) return findings
  await collect(() => parameterValues(withoutSecrets(context), template.value))
  for (const one of await collectTemplates(context, template, collect)) findings.push(...checkTemplate(one))
  // Last: it puts places in the bucket into the document.
  await collect(() => packageTemplate(context, template, (key) => `https://bucket.invalid/${key}`))
  const errors = findings.some(({ severity }) => severity === 'error')
  return errors ? findings : [...findings, ...(await lint(context, template))]
}

const FINDINGS = new Set(['SOURCE_INVALID', 'CONFIG_INVALID', 'PATH_OUTSIDE'])

function findingOf(error: TrueupError): Finding {
  const { path, line } = error.text.details ?? {}
  return {
    severity: 'error',
    message: `${error.text.doing}: ${error.text.why}`,
    ...(typeof path === 'string' && { path }),
    ...(typeof line === 'number' && { line }),
  }
}

/** A check on a merge request has no variables; any text will do for what they hold. */
function withoutSecrets(context: DriverContext<CloudFormationConfig>): DriverContext<CloudFormationConfig> {
  const names = Object.values(context.config.secretParameters)
  return { ...context, env: { ...Object.fromEntries(names.map((name) => [name, '?'])), ...context.env } }
}

async function collectTemplates(
  context: DriverContext<CloudFormationConfig>,
  template: SourceTemplate,
  collect: <T>(work: () => Promise<T>) => Promise<T | undefined>,
  known = new Set<string>(),
): Promise<SourceTemplate[]> {
  known.add(template.path)
  const all = [template]
  for (const { local, kind } of localReferences(template.value)) {
    if (kind !== 'template') continue
    const child = await collect(() => readNested(context, template, local))
    if (child && !known.has(child.path)) all.push(...(await collectTemplates(context, child, collect, known)))
  }
  return all
}
