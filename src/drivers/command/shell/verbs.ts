import { coerce } from 'semver'
import type { ApplyResult, DriverPlan, Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { checkVersion } from '../../tools/check-version.ts'
import { checkEnded, ending, lastWords, toolFailed } from '../../tools/verdict.ts'
import { readOutputs, runShell, type ShellContext } from './run.ts'

export { plan } from './plan.ts'

/** `{ command: <first line of the version command> }`, checked against the stack's `toolVersion:`. */
export async function versions(context: ShellContext): Promise<{ [tool: string]: string }> {
  const { config, toolVersion } = context
  if (config.version === undefined) {
    if (toolVersion === undefined) return {}
    throw new TrueupError('CONFIG_INVALID', {
      doing: 'checking the tool version',
      why: '`toolVersion:` is set, and `with:` has no `version` command that would say it',
      next: 'Add `version: mytool --version`, or remove `toolVersion:`.',
    })
  }
  const doing = 'running the `version` command'
  const result = await runShell(context, config.version, true)
  checkEnded(doing, result)
  if (result.exitCode === 127) throw new TrueupError('TOOL_MISSING', { doing, why: lastWords(result) })
  if (result.exitCode !== 0) throw toolFailed(doing, result)
  const line = result.stdout.trim().split('\n')[0] ?? ''
  const version = coerce(line)?.version ?? line.slice(0, 100)
  checkVersion({ name: 'the command', version }, toolVersion)
  return { command: version }
}

export async function validate(context: ShellContext): Promise<Finding[]> {
  if (context.config.validate === undefined) return []
  const result = await runShell(context, context.config.validate)
  checkEnded('running the `validate` command', result)
  if (result.exitCode === 0) return []
  return [{ severity: 'error', message: `validate: ${ending(result)}\n${lastWords(result)}`.trimEnd() }]
}

/**
 * Runs `apply` (or `destroy`). The command is one step to Trueup: when it fails, which of the planned changes were made is
 * not known, and each says so.
 */
export async function apply(context: ShellContext, plan: DriverPlan): Promise<ApplyResult> {
  const command = context.destroy ? context.config.destroy : context.config.apply
  if (command === undefined)
    throw new TrueupError('PLAN_STALE', { doing: 'destroying the stack', why: 'it has no `destroy` command' })
  const result = await runShell(context, command)
  const done = result.exitCode === 0 && !result.canceled && !result.timedOut
  const message = `the command ended with ${ending(result)}; whether this was done is not known`
  const resources = plan.changes.map(({ address, actions }) => ({
    address,
    actions,
    status: done ? ('done' as const) : ('failed' as const),
    ...(!done && { message }),
  }))
  if (done)
    return { status: 'applied', resources, outputs: context.destroy ? {} : await readOutputs(context), findings: [] }
  const words = lastWords(result)
  return {
    status: result.canceled ? 'canceled' : 'failed',
    resources,
    outputs: {},
    findings: [{ severity: 'error', message: `apply: ${ending(result)}${words && `\n${words}`}` }],
  }
}
