import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Finding } from '../../domain/plans/plan.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'
import { checkEnded, toolFailed } from '../tools/verdict.ts'
import { type AnsibleConfig, inventoriesOf } from './config.ts'
import { lint } from './source/lint.ts'
import { passwordLookups } from './source/password-lookups.ts'
import { fileOfStack } from './source/paths.ts'
import { baseEnvironment } from './session.ts'
import { sourceFinding } from './tool/source-error.ts'
import { checkModeOff, isYaml, usedFiles } from './source/source-files.ts'
import { findAnsible } from './tool/tool.ts'
import { vaultArguments } from './secrets/passwords.ts'

/**
 * `--syntax-check` without inventory or host, the linters that the worker has, and every `check_mode: false`, which a
 * preview does not run.
 */
export async function validate(context: DriverContext<AnsibleConfig>): Promise<Finding[]> {
  const missing = await missingFiles(context)
  if (missing.length > 0) return missing
  const tool = await findAnsible(context)
  const env = await baseEnvironment(context)
  // Without a run there are no orders for the plugin, and nothing to tell.
  delete env.ANSIBLE_STDOUT_CALLBACK
  const syntax = await checkSyntax(context, tool.path, env)
  if (syntax.some(({ severity }) => severity === 'error')) return syntax
  return [...syntax, ...(await unguarded(context)), ...(await passwordLookups(context)), ...(await lint(context, env))]
}

async function missingFiles(context: DriverContext<AnsibleConfig>): Promise<Finding[]> {
  const { playbook, knownHosts, requirements } = context.config
  const named = [playbook, ...inventoriesOf(context.config), knownHosts, requirements || undefined]
  const findings: Finding[] = []
  for (const path of named) {
    if (path === undefined) continue
    try {
      await fileOfStack(context, path)
    } catch (error) {
      if (!(error instanceof TrueupError) || error.code !== 'SOURCE_INVALID') throw error
      findings.push({ severity: 'error', code: 'file_missing', message: `${path} does not exist`, path })
    }
  }
  return findings
}

async function checkSyntax(
  context: DriverContext<AnsibleConfig>,
  program: string,
  env: { [name: string]: string },
): Promise<Finding[]> {
  const doing = `validating stack "${context.stack.name}"`
  const playbook = await fileOfStack(context, context.config.playbook)
  // A laptop may not have the password; most of a playbook can be checked without.
  const passwords = await vaultArguments(context).catch((error: unknown) => {
    if (error instanceof TrueupError && error.code === 'CONFIG_INVALID') return []
    throw error
  })
  const result = await context.run({
    argv: [program, '--syntax-check', '--inventory', 'localhost,', ...passwords, playbook],
    cwd: context.directory,
    env,
    quiet: true,
    timeoutMs: 300_000,
  })
  checkEnded(doing, result)
  if (result.exitCode === 0) return []
  if (/no vault secrets found/i.test(result.stderr)) {
    const message = 'the syntax was not checked: a file is encrypted, and there is no vault password here'
    return [{ severity: 'info', code: 'vault_not_opened', message }]
  }
  const finding = sourceFinding(context, result.stderr)
  if (finding === null) throw toolFailed(doing, result)
  return [finding]
}

/** In the stack's own files and the roles they use; the plan finds those of roles from elsewhere too. */
async function unguarded(context: DriverContext<AnsibleConfig>): Promise<Finding[]> {
  const entries = await readdir(context.directory, { recursive: true, withFileTypes: true })
  const texts = new Map<string, string>()
  for (const entry of entries) {
    if (!entry.isFile() || !isYaml(entry.name)) continue
    const file = join(entry.parentPath, entry.name)
    texts.set(relative(context.directory, file), await readFile(file, 'utf8'))
  }
  const findings: Finding[] = []
  for (const [name, text] of usedFiles(texts)) {
    const file = join(context.directory, name)
    for (const line of checkModeOff(text)) {
      findings.push({
        severity: 'warning',
        code: 'check_mode_off',
        message:
          'check_mode: false would change hosts from a preview: Trueup checks such a task like any other, unless readOnlyTasks names it',
        path: relative(context.workspace, file),
        line,
      })
    }
  }
  return findings.toSorted((a, b) => (a.path! < b.path! ? -1 : a.path! > b.path! ? 1 : a.line! - b.line!))
}
