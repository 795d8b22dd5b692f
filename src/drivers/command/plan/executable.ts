import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { type Answer, ask, type ExecutableContext } from '../tool/conversation.ts'
import { bodyOf, findingsOf, messagesOf, outputsOf, succeeded } from '../tool/answer.ts'
import { emptyPlan, repeatedAddress, toChange } from './changes.ts'

export async function planExecutable(context: ExecutableContext): Promise<DriverPlan> {
  if (context.destroy && !context.config.destroy) throw cannotDestroy(context)
  const answer = succeeded(await ask(context, 'plan'), context, 'planning')
  const messages = messagesOf(answer, 'change')
  const repeated = repeatedAddress(messages)
  if (repeated !== undefined)
    throw new TrueupError('TOOL_OUTPUT', {
      doing: `reading the plan of ${context.config.executable}`,
      why: `the address ${JSON.stringify(repeated)} stands in it twice`,
      next: 'Give every resource an address of its own.',
    })
  return {
    ...emptyPlan(),
    changes: messages.map((message) => toChange(bodyOf(message), context)),
    coverage: coverage(answer, messages.length),
    outputs: outputsOf(answer, context),
    findings: findingsOf(answer),
    toolVersions: Object.fromEntries(messagesOf(answer, 'version').map(({ tool, version }) => [tool, version])),
  }
}

/** Several reports add up: a program may look at several places. */
function coverage(answer: Answer, changes: number): DriverPlan['coverage'] {
  const told = messagesOf(answer, 'coverage')
  if (told.length === 0) return { checked: changes, unchecked: [] }
  return {
    checked: told.reduce((sum, { checked }) => sum + checked, 0),
    unchecked: told.flatMap(({ unchecked }) => unchecked),
  }
}

const cannotDestroy = ({ config }: ExecutableContext): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: 'planning the destruction of the stack',
    why: `${config.executable} is not said to be able to destroy`,
    next: 'Set `destroy: true` in `with:` when it is, or let the stack go with `onRemove: keep`.',
  })
