import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { stripVTControlCharacters } from 'node:util'
import { z } from 'zod'
import type { DriverPlan, ResourceChange } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { checkEnded, toolFailed } from '../../tools/verdict.ts'
import { planFile } from '../tool/environment.ts'
import { readOutputs, runShell, type ShellContext } from '../tool/shell.ts'
import { ChangeMessage, CoverageMessage, FindingMessage, OutputMessage } from '../tool/wire.ts'
import { emptyPlan, repeatedAddress, toChange } from './changes.ts'

/** `terraform plan -detailed-exitcode` made these exit codes usual. */
const NO_CHANGES = 0
const CHANGES = 2
/** A longer text says little to a reader and is cut; its hash keeps the plan's digest true. */
const SHOWN_CHARS = 128 * 1024

const JsonPlan = z.strictObject({
  changes: z.array(ChangeMessage).max(100_000),
  coverage: CoverageMessage.optional(),
  outputs: z.record(z.string(), OutputMessage).default({}),
  findings: z.array(FindingMessage).default([]),
})

/** Runs `plan` (in drift runs `drift`) and keeps its stdout for `apply`. */
export async function planShell(context: ShellContext): Promise<DriverPlan> {
  const { config } = context
  if (context.destroy) return destroyPlan(context)
  const isDrift = context.kind === 'drift' && config.drift !== undefined
  const doing = isDrift ? 'running the `drift` command' : 'running the `plan` command'
  const result = await runShell(context, (isDrift && config.drift) || config.plan, config.planFormat === 'json')
  checkEnded(doing, result)
  if (result.exitCode !== NO_CHANGES && result.exitCode !== CHANGES) throw toolFailed(doing, result)
  if (result.truncatedStdoutBytes > 0)
    throw new TrueupError('TOOL_OUTPUT', {
      doing,
      why: `it printed ${result.truncatedStdoutBytes} bytes more than the 16 MiB that a plan may have`,
      next: 'Print less, for example only what changes.',
    })
  await writeFile(planFile(context), result.stdout, { mode: 0o600 })
  const outputs = await readOutputs(context)
  if (config.planFormat === 'json') return fromJson(context, result.stdout, outputs)
  const changes = result.exitCode === CHANGES ? [textChange(context, result.stdout)] : []
  return { ...emptyPlan(), changes, outputs, coverage: { checked: 1, unchecked: [] } }
}

/** The whole text as one change: all that can be known of a tool that answers in prose. */
function textChange(context: ShellContext, stdout: string): ResourceChange {
  const text = stripVTControlCharacters(stdout).trimEnd()
  const cut = text.length > SHOWN_CHARS
  const shown = cut ? `${text.slice(0, SHOWN_CHARS)}\n… ${text.length - SHOWN_CHARS} more characters` : text
  const hash = createHash('sha256').update(text).digest('hex')
  return {
    address: 'command',
    type: 'command',
    actions: ['update'],
    attributes: [{ path: 'plan', after: shown }, ...(cut ? [{ path: 'sha256', after: hash }] : [])],
    cause: context.kind === 'drift' ? 'drift' : 'config',
  }
}

function fromJson(context: ShellContext, stdout: string, outputs: DriverPlan['outputs']): DriverPlan {
  const planned = parsePlan(stdout)
  const repeated = repeatedAddress(planned.changes)
  if (repeated !== undefined) throw unusable(`the address ${JSON.stringify(repeated)} stands in it twice`)
  return {
    changes: planned.changes.map((change) => toChange(change, context)),
    coverage: planned.coverage ?? { checked: planned.changes.length, unchecked: [] },
    outputs: { ...planned.outputs, ...outputs },
    findings: planned.findings,
    toolVersions: {},
  }
}

function parsePlan(stdout: string): z.infer<typeof JsonPlan> {
  let value: unknown
  try {
    value = JSON.parse(stdout)
  } catch (cause) {
    throw unusable(`it is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  const parsed = JsonPlan.safeParse(value)
  if (!parsed.success) throw unusable(z.prettifyError(parsed.error))
  return parsed.data
}

const unusable = (why: string): TrueupError =>
  new TrueupError('TOOL_OUTPUT', {
    doing: 'reading what the `plan` command printed',
    why,
    next: 'Print exactly one JSON document of the shape in docs/drivers/command.md on stdout, everything else on stderr.',
  })

/** There is no command that could say what a destruction would do, so the plan says which command it is. */
function destroyPlan({ config }: ShellContext): DriverPlan {
  if (config.destroy === undefined)
    throw new TrueupError('CONFIG_INVALID', {
      doing: 'planning the destruction of the stack',
      why: 'its `with:` has no `destroy` command',
      next: 'Add `destroy:` to the stack, or remove by hand what it made and let the stack go with `onRemove: keep`.',
    })
  const change: ResourceChange = {
    address: 'command',
    type: 'command',
    actions: ['delete'],
    attributes: [{ path: 'destroy', after: config.destroy }],
    cause: 'config',
  }
  return {
    ...emptyPlan(),
    changes: [change],
    coverage: { checked: 0, unchecked: [{ address: 'command', why: 'a shell command cannot be planned' }] },
  }
}
