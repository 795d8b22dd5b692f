import type { AppliedResource, ApplyResult, DriverPlan, Finding, Output } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { textsIn } from '../../../lib/json.ts'
import { checkVersion } from '../../tools/check-version.ts'
import { emptyPlan, repeatedAddress, toChange } from '../plan-wire.ts'
import { ask, type Answer, type ExecutableContext } from './conversation.ts'
import { FAULTS, type Message, type MessageOf } from './messages.ts'

/** Tool versions as the program tells them; the first must fit the stack's `toolVersion:`. */
export async function versions(context: ExecutableContext): Promise<{ [tool: string]: string }> {
  const answer = succeeded(await ask(context, 'versions'), context, 'telling its version')
  const told = of(answer, 'version')
  checkVersion({ name: told[0]?.tool ?? 'the program', version: told[0]?.version ?? '' }, context.toolVersion)
  return Object.fromEntries(told.map(({ tool, version }) => [tool, version]))
}

export async function validate(context: ExecutableContext): Promise<Finding[]> {
  return findings(succeeded(await ask(context, 'validate'), context, 'checking the source'))
}

export async function plan(context: ExecutableContext): Promise<DriverPlan> {
  if (context.destroy && !context.config.destroy) throw cannotDestroy(context)
  const answer = succeeded(await ask(context, 'plan'), context, 'planning')
  const messages = of(answer, 'change')
  const repeated = repeatedAddress(messages)
  if (repeated !== undefined)
    throw new TrueupError('TOOL_OUTPUT', {
      doing: `reading the plan of ${context.config.executable}`,
      why: `the address ${JSON.stringify(repeated)} stands in it twice`,
      next: 'Give every resource an address of its own.',
    })
  return {
    ...emptyPlan(),
    changes: messages.map((message) => toChange(body(message), context)),
    coverage: coverage(answer, messages.length),
    outputs: outputs(answer, context),
    findings: findings(answer),
    toolVersions: Object.fromEntries(of(answer, 'version').map(({ tool, version }) => [tool, version])),
  }
}

/** A failure is thrown while nothing was done (the program says so by `stale` or `locked`), and a result from then on. */
export async function apply(context: ExecutableContext, planned: DriverPlan): Promise<ApplyResult> {
  const answer = await ask(context, 'apply', planned)
  const { end } = answer
  const told = new Map(of(answer, 'applied').map((message) => [message.address, message]))
  const refused = end.type === 'error' && (end.fault === 'stale' || end.fault === 'locked') && told.size === 0
  if (refused) throw failure(end, context, 'applying')
  const resources = planned.changes.map(({ address, actions }) => applied(address, actions, told.get(address), end))
  const failed = end.type === 'error' || resources.some(({ status }) => status === 'failed')
  return {
    status: answer.canceled && failed ? 'canceled' : failed ? 'failed' : 'applied',
    resources,
    outputs: outputs(answer, context),
    findings: [
      ...findings(answer),
      ...unplanned(planned, told.keys()),
      ...(end.type === 'error' ? [{ severity: 'error' as const, message: end.message }] : []),
    ],
  }
}

/** `done` without a word about a resource means that it was done; after an error nothing is known of it. */
function applied(
  address: string,
  actions: AppliedResource['actions'],
  told: MessageOf<'applied'> | undefined,
  end: Answer['end'],
): AppliedResource {
  if (told)
    return { address, actions, status: told.status, ...(told.message !== undefined && { message: told.message }) }
  if (end.type === 'done') return { address, actions, status: 'done' }
  return { address, actions, status: 'skipped', message: 'the program said nothing about it before it stopped' }
}

function unplanned(planned: DriverPlan, told: Iterable<string>): Finding[] {
  const known = new Set(planned.changes.map(({ address }) => address))
  return [...told]
    .filter((address) => !known.has(address))
    .map((address) => ({ severity: 'warning', message: `the program changed ${address}, which was not in the plan` }))
}

function of<T extends Message['type']>({ messages }: Answer, type: T): MessageOf<T>[] {
  return messages.filter((message): message is MessageOf<T> => message.type === type)
}

/** A message without what tells it from others on the wire. */
function body<T extends Message>(message: T): Omit<T, 'type'> {
  const copy: Omit<T, 'type'> & { type?: string } = { ...message }
  delete copy.type
  return copy
}

const findings = (answer: Answer): Finding[] => of(answer, 'finding').map(body)

function outputs(answer: Answer, context: ExecutableContext): { [name: string]: Output } {
  const named = of(answer, 'output').map((message) => {
    const { name, ...output } = body(message)
    if (output.sensitive) for (const text of textsIn(output.value)) context.mask(text)
    return [name, output] as const
  })
  return Object.fromEntries(named)
}

/** Several reports add up: a program may look at several places. */
function coverage(answer: Answer, changes: number): DriverPlan['coverage'] {
  const told = of(answer, 'coverage')
  if (told.length === 0) return { checked: changes, unchecked: [] }
  return {
    checked: told.reduce((sum, { checked }) => sum + checked, 0),
    unchecked: told.flatMap(({ unchecked }) => unchecked),
  }
}

function succeeded(answer: Answer, context: ExecutableContext, doing: string): Answer {
  if (answer.end.type === 'error') throw failure(answer.end, context, doing)
  return answer
}

function failure(end: MessageOf<'error'>, { config }: ExecutableContext, doing: string): TrueupError {
  return new TrueupError(FAULTS[end.fault], {
    doing: `${doing} with ${config.executable}`,
    why: end.message,
    ...(end.next !== undefined && { next: end.next }),
  })
}

const cannotDestroy = ({ config }: ExecutableContext): TrueupError =>
  new TrueupError('CONFIG_INVALID', {
    doing: 'planning the destruction of the stack',
    why: `${config.executable} is not said to be able to destroy`,
    next: 'Set `destroy: true` in `with:` when it is, or let the stack go with `onRemove: keep`.',
  })
