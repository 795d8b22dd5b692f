import type { Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import { readLive } from '../cluster/live.ts'
import { differences } from '../compare/attributes.ts'
import { sidesOf } from '../objects/hooks.ts'
import { typeOf } from '../objects/object.ts'
import { eventOf } from './hook-event.ts'
import { isDrift } from './renderer.ts'
import type { Step } from './steps.ts'
import { hashOf, stepOf } from './survey.ts'
import type { HookRequest } from './hook-request.ts'

export interface HookPlan {
  changes: ResourceChange[]
  steps: Step[]
  findings: Finding[]
}

/** These have an end, and each is a new one: whether the last one is still there is nobody's question. */
const RUN_ANEW = new Set(['Job', 'Pod'])

/**
 * Hooks run once for each change of what the stack wants, never for drift: a migration is not repeated because somebody
 * has edited a label. One that failed half-way runs again, since its change has not got to its end.
 */
export async function hookSteps(request: HookRequest): Promise<HookPlan> {
  const { context, survey, wanted, inventory, desired } = request
  const plan: HookPlan = { changes: [], steps: [], findings: [] }
  const hooks = wanted.filter(({ hook }) => hook !== null)
  if (hooks.length === 0 || isDrift(context)) return plan
  if (context.destroy ? !inventory.exists : inventory.desired === desired) return plan
  const { event, finding } = await eventOf(request)
  plan.findings.push(...(finding ? [finding] : []))
  const due = hooks.flatMap((one) => {
    const sides = one.hook === null ? [] : sidesOf(one.hook, event)
    return sides.length === 0 ? [] : [{ one, sides }]
  })
  const lasting = due.map(({ one }) => one).filter(({ ref, pending }) => !pending && !RUN_ANEW.has(ref.kind))
  const reading = { concurrency: context.config.concurrency, signal: context.signal }
  const there = await readLive(survey.session.client, lasting, reading)
  for (const { one, sides } of due) {
    const { weight = 0, deleteOn = [] } = one.hook ?? {}
    const before = there.get(one.key) ?? null
    const actions: ResourceChange['actions'] =
      before === null ? ['create'] : deleteOn.includes('before') ? ['replace'] : ['update']
    plan.changes.push({
      address: one.address,
      type: typeOf(one.ref),
      actions,
      attributes: differences(before, one.object, survey.redaction),
      cause: 'config',
      reason: `hook, ${sides.join(' and ')} the ${event}`,
    })
    const step = { ...stepOf(one, 'hook', hashOf(survey, one)), object: one.object }
    // After a destruction nothing of the stack is left that could clear its hooks away.
    const policies = event === 'delete' ? ([...deleteOn, 'succeeded'] as const) : deleteOn
    for (const when of sides) plan.steps.push({ ...step, hook: { when, weight, deleteOn: policies } })
  }
  return plan
}
