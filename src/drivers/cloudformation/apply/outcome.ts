import type { AppliedResource, ApplyResult, DriverPlan, Finding, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Cloud } from '../api/cloud.ts'
import { newEvents } from '../api/stacks.ts'
import { STACK_TYPE } from '../names.ts'
import type { Followed } from './follow.ts'

const SUCCEEDED = /^(CREATE_COMPLETE|UPDATE_COMPLETE|IMPORT_COMPLETE|DELETE_COMPLETE)$/

/** Whether the operation came to its good end. */
export const succeeded = ({ status, lost, canceled }: Followed, wanted: RegExp = SUCCEEDED): boolean =>
  lost === undefined && wanted.test(status) && !(canceled && status === 'DELETE_COMPLETE' && wanted === SUCCEEDED)

/** Every planned change as done. */
export const allDone = (changes: readonly ResourceChange[]): AppliedResource[] =>
  changes.map(({ address, actions }) => ({ address, actions, status: 'done' }))

/** The result of an operation that did not come to its good end: which resource, why, and what became of the others. */
export async function unsuccessful(
  cloud: Cloud,
  plan: DriverPlan,
  followed: Followed,
  redact: (text: string) => string,
): Promise<ApplyResult> {
  const causes = await causesOf(cloud, followed)
  const rolledBack = /ROLLBACK_COMPLETE$|^DELETE_COMPLETE$/.test(followed.status)
  const resources = plan.changes.map(({ address, actions }): AppliedResource => {
    const failure = causes.get(address)
    if (failure !== undefined) return { address, actions, status: 'failed', message: redact(failure) }
    const status = followed.last.get(address)?.ResourceStatus ?? ''
    if (!rolledBack && status.endsWith('_COMPLETE') && !/ROLLBACK/.test(status))
      return { address, actions, status: 'done' }
    const touched = followed.last.has(address)
    const message = rolledBack
      ? touched
        ? 'rolled back'
        : 'not begun'
      : touched
        ? `it is ${status || 'unknown'}`
        : 'not begun'
    return { address, actions, status: 'skipped', message }
  })
  return {
    status: followed.canceled ? 'canceled' : 'failed',
    resources,
    outputs: {},
    findings: [finding(cloud, followed, causes, redact)],
  }
}

function finding(
  cloud: Cloud,
  { status, reason, lost, canceled }: Followed,
  causes: ReadonlyMap<string, string>,
  redact: (text: string) => string,
): Finding {
  const why = [...causes].map(([address, message]) => `${address}: ${message}`).join('; ') || reason
  if (lost !== undefined) {
    const message = `AWS could not be asked any more (${lost}); the operation on ${cloud.stackName} goes on there, it was ${status || 'about to begin'}`
    return { severity: 'error', code: 'lost_sight', message: redact(message) }
  }
  if (canceled) {
    const state = status.endsWith('_IN_PROGRESS') ? `${status}: AWS goes on with that by itself` : status
    return {
      severity: 'warning',
      code: 'canceled',
      message: redact(`the run was stopped; the stack ${cloud.stackName} is ${state}`),
    }
  }
  const code = status.endsWith('ROLLBACK_COMPLETE') ? 'rolled_back' : 'stack_failed'
  const next =
    status === 'UPDATE_ROLLBACK_FAILED'
      ? ' The roll-back did not work either: put right what its events name and run `aws cloudformation continue-update-rollback`.'
      : ''
  return { severity: 'error', code, message: redact(`the stack ${cloud.stackName} is ${status}: ${why}${next}`) }
}

/** Cancellations of what stood beside the failed resource say nothing. */
const CANCELED = /^Resource (creation|update|deletion) cancelled/i

/** What failed by itself, by address; for a nested stack, what failed inside it. */
async function causesOf(cloud: Cloud, { failures }: Followed): Promise<Map<string, string>> {
  const causes = new Map<string, string>()
  for (const event of failures) {
    const address = event.LogicalResourceId ?? ''
    const reason = event.ResourceStatusReason ?? `it is ${event.ResourceStatus}`
    if (CANCELED.test(reason) || causes.has(address)) continue
    causes.set(address, reason)
    if (event.ResourceType !== STACK_TYPE || !event.PhysicalResourceId) continue
    for (const [inner, why] of await innerCauses(cloud, event.PhysicalResourceId))
      causes.set(`${address}/${inner}`, why)
  }
  return causes
}

/** How far back the failure of a nested stack can lie. */
const RECENT_MS = 6 * 60 * 60_000

async function innerCauses(cloud: Cloud, stackId: string): Promise<Map<string, string>> {
  const since = new Date(Date.now() - RECENT_MS)
  const events = await newEvents(cloud, stackId, { since, seen: new Set() }).catch(() => [])
  const failed = events.filter(
    ({ ResourceStatus: status = '', ResourceStatusReason: reason = '', PhysicalResourceId: id }) =>
      status.endsWith('_FAILED') && id !== stackId && !CANCELED.test(reason),
  )
  return new Map(failed.map((event) => [event.LogicalResourceId ?? '', event.ResourceStatusReason ?? '']))
}
