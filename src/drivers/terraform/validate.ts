import { access } from 'node:fs/promises'
import { posix } from 'node:path'
import { z } from 'zod'
import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import type { TerraformConfig } from './config.ts'
import { Diagnostic, findingOf, toolError } from './tool/diagnostics.ts'
import { insideWorkspace } from '../paths/inside.ts'
import { openForValidation } from './session.ts'

const ValidateAnswer = z.object({ valid: z.boolean(), diagnostics: z.array(Diagnostic).default([]) })

/**
 * `init -backend=false` and `validate -json`: syntax, references, types against the providers' schemas. Without state,
 * credentials or the target. Providers must be had: from the cache, a mirror, or their registry.
 */
export async function validate(context: DriverContext<TerraformConfig>): Promise<Finding[]> {
  const missing = await missingFiles(context)
  if (missing.length > 0) return missing
  const session = await openForValidation(context).catch((thrown: unknown) => {
    if (thrown instanceof TrueupError && thrown.code === 'SOURCE_INVALID') return thrown
    throw thrown
  })
  if (session instanceof TrueupError) return [findingOfError(session, context.stack.path)]

  const doing = `validating stack "${context.stack.name}"`
  const result = await context.run({ ...session.command('validate', '-json'), quiet: true, graceMs: 2_000 })
  const answer = readAnswer(result.stdout)
  if (answer === null) throw toolError(doing, result, [])
  return answer.diagnostics.map((diagnostic) => findingOf(diagnostic, context.stack.path))
}

/** `init` reads the code too, and stops at what it cannot parse. */
function findingOfError(error: TrueupError, stackPath: string): Finding {
  const { file, line } = error.text.details ?? {}
  return {
    severity: 'error',
    message: error.text.why,
    ...(typeof file === 'string' && { path: posix.join(stackPath, file) }),
    ...(typeof line === 'number' && { line }),
  }
}

/** Files that the stack names and the repository does not have, which only a plan would notice. */
async function missingFiles(context: DriverContext<TerraformConfig>): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const file of [...context.config.varFiles, ...context.config.backendConfigFiles]) {
    const path = await insideWorkspace(context, file)
    const there = await access(path).then(
      () => true,
      () => false,
    )
    if (!there)
      findings.push({ severity: 'error', code: 'file_missing', message: `${file} does not exist`, path: file })
  }
  return findings
}

function readAnswer(text: string): z.infer<typeof ValidateAnswer> | null {
  try {
    return ValidateAnswer.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
