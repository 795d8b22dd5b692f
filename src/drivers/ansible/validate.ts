import type { Finding } from '../../domain/plan.ts'
import type { DriverContext } from '../driver.ts'
import { checkEnded, toolFailed } from '../tools/verdict.ts'
import type { AnsibleConfig } from './config.ts'
import { insideWorkspace } from './paths.ts'
import { baseEnvironment } from './session.ts'
import { sourceFinding } from './source-error.ts'
import { findAnsible } from './tool.ts'

/** `--syntax-check`, offline and without a host. */
export async function validate(context: DriverContext<AnsibleConfig>): Promise<Finding[]> {
  const doing = `validating stack "${context.stack.name}"`
  const tool = await findAnsible(context)
  const playbook = await insideWorkspace(context, context.config.playbook)
  const env = await baseEnvironment(context)
  delete env.ANSIBLE_STDOUT_CALLBACK
  const result = await context.run({
    argv: [tool.path, '--syntax-check', '--inventory', 'localhost,', playbook],
    cwd: context.directory,
    env,
    quiet: true,
    timeoutMs: 300_000,
  })
  checkEnded(doing, result)
  if (result.exitCode === 0) return []
  const finding = sourceFinding(context, result.stderr)
  if (finding === null) throw toolFailed(doing, result)
  return [finding]
}
