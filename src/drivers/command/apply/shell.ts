import type { ApplyResult, DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { ending, lastWords } from '../../tools/verdict.ts'
import { readOutputs, runShell, type ShellContext } from '../tool/shell.ts'

/**
 * Runs `apply` (or `destroy`). The command is one step to Trueup: when it fails, which of the planned changes were made is
 * not known, and each says so.
 */
export async function applyShell(context: ShellContext, plan: DriverPlan): Promise<ApplyResult> {
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
