import type { Finding } from '../../domain/plans/plan.ts'
import { checkEnded, ending, lastWords } from '../tools/verdict.ts'
import { findingsOf, succeeded } from './tool/answer.ts'
import { ask, type ExecutableContext } from './tool/conversation.ts'
import { runShell, type ShellContext } from './tool/shell.ts'

export async function validateShell(context: ShellContext): Promise<Finding[]> {
  if (context.config.validate === undefined) return []
  const result = await runShell(context, context.config.validate)
  checkEnded('running the `validate` command', result)
  if (result.exitCode === 0) return []
  return [{ severity: 'error', message: `validate: ${ending(result)}\n${lastWords(result)}`.trimEnd() }]
}

export async function validateExecutable(context: ExecutableContext): Promise<Finding[]> {
  return findingsOf(succeeded(await ask(context, 'validate'), context, 'checking the source'))
}
