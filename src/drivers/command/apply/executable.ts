import type { AppliedResource, ApplyResult, DriverPlan, Finding } from '../../../domain/plans/plan.ts'
import { failureOf, findingsOf, messagesOf, outputsOf } from '../tool/answer.ts'
import { type Answer, ask, type ExecutableContext } from '../tool/conversation.ts'
import type { MessageOf } from '../tool/messages.ts'

/** A failure is thrown while nothing was done (the program says so by `stale` or `locked`), and a result from then on. */
export async function applyExecutable(context: ExecutableContext, planned: DriverPlan): Promise<ApplyResult> {
  const answer = await ask(context, 'apply', planned)
  const { end } = answer
  const told = new Map(messagesOf(answer, 'applied').map((message) => [message.address, message]))
  const refused = end.type === 'error' && (end.fault === 'stale' || end.fault === 'locked') && told.size === 0
  if (refused) throw failureOf(end, context, 'applying')
  const resources = planned.changes.map(({ address, actions }) => applied(address, actions, told.get(address), end))
  const failed = end.type === 'error' || resources.some(({ status }) => status === 'failed')
  return {
    status: answer.canceled && failed ? 'canceled' : failed ? 'failed' : 'applied',
    resources,
    outputs: outputsOf(answer, context),
    findings: [
      ...findingsOf(answer),
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
