import type { Stack, StackEvent, StackResourceSummary } from '@aws-sdk/client-cloudformation'
import { TrueupError } from '../../../lib/errors/error.ts'
import { apiFailure, isMissingStack } from './failures.ts'
import type { Cloud } from './cloud.ts'

/** The stack by name (or id), or null where there is none. A stack that waits for its first change set is there. */
export async function findStack(cloud: Cloud, how: { id?: string; detached?: boolean } = {}): Promise<Stack | null> {
  const StackName = how.id ?? cloud.stackName
  const doing = `reading the stack ${cloud.stackName}`
  try {
    const options = { raw: true, ...(how.detached && { detached: true }) }
    const { Stacks: [stack] = [] } = await cloud.call(doing, (api, o) => api.describeStacks({ StackName }, o), options)
    return stack ?? null
  } catch (thrown) {
    if (isMissingStack(thrown)) return null
    throw apiFailure(thrown, doing)
  }
}

/** Every resource of a stack, in AWS's order. */
export async function resourcesOf(cloud: Cloud, stackId: string): Promise<StackResourceSummary[]> {
  const all: StackResourceSummary[] = []
  let NextToken: string | undefined
  do {
    const input = { StackName: stackId, ...(NextToken && { NextToken }) }
    const page = await cloud.call('listing the resources of the stack', (api, o) => api.listStackResources(input, o))
    all.push(...(page.StackResourceSummaries ?? []))
    NextToken = page.NextToken
  } while (NextToken)
  return all
}

/** Events since `since`, oldest first; those in `seen` are left out, and put there. */
export async function newEvents(
  cloud: Cloud,
  stackId: string,
  { since, seen }: { since: Date; seen: Set<string> },
): Promise<StackEvent[]> {
  const found = new Map<string, StackEvent>()
  const oldestFirst = (): StackEvent[] => [...found.values()].reverse()
  let NextToken: string | undefined
  do {
    const input = { StackName: stackId, ...(NextToken && { NextToken }) }
    const page = await cloud.call('reading the events of the stack', (api, o) => api.describeStackEvents(input, o), {
      detached: true,
    })
    NextToken = page.NextToken
    for (const event of page.StackEvents ?? []) {
      const old = seen.has(event.EventId ?? '') || (event.Timestamp ?? since) < since
      // Newest first: from here on everything is known.
      if (old) return oldestFirst()
      // Events that come while pages are read push others onto the next page once more.
      found.set(event.EventId ?? '', event)
    }
  } while (NextToken)
  return oldestFirst()
}

/** The template as it was given at the last deployment; null where the stack has none yet. */
export async function deployedTemplate(cloud: Cloud, stackId: string): Promise<string | null> {
  const doing = 'reading the deployed template'
  const input = { StackName: stackId, TemplateStage: 'Original' as const }
  try {
    const { TemplateBody } = await cloud.call(doing, (api, o) => api.getTemplate(input, o), { raw: true })
    return TemplateBody ?? null
  } catch (thrown) {
    if (isMissingStack(thrown)) return null
    throw apiFailure(thrown, doing)
  }
}

/** What a stack's status means for a plan. */
export type StackState = 'absent' | 'empty' | 'ready' | 'busy' | 'dead' | 'stuck'

/** `dead`: only deletion is left. `stuck`: a person has to help. (StackStatus page of the API.) */
export function stateOf(stack: Stack | null): StackState {
  const status = stack?.StackStatus
  if (status === undefined || status === 'DELETE_COMPLETE') return 'absent'
  if (status === 'REVIEW_IN_PROGRESS') return 'empty'
  if (status.endsWith('_IN_PROGRESS')) return 'busy'
  if (/^(ROLLBACK_COMPLETE|ROLLBACK_FAILED|CREATE_FAILED)$/.test(status)) return 'dead'
  if (status.endsWith('_FAILED')) return 'stuck'
  return 'ready'
}

/** STATE_LOCKED while someone else's operation runs, TARGET_UNSAFE where a person must help first. */
export function refuseUnready(stack: Stack | null, doing: string): void {
  const state = stateOf(stack)
  const { StackName: name, StackStatus: status, StackStatusReason: reason } = stack ?? {}
  const said = reason ? `: ${reason}` : ''
  if (state === 'busy') {
    throw new TrueupError('STATE_LOCKED', {
      doing,
      why: `the stack ${name} is ${status}${said}`,
      next: 'Wait until the operation that runs on it is over; `aws cloudformation describe-stack-events` shows it.',
    })
  }
  if (state !== 'stuck') return
  throw new TrueupError('TARGET_UNSAFE', {
    doing,
    why: `the stack ${name} is ${status}${said}`,
    next:
      status === 'UPDATE_ROLLBACK_FAILED'
        ? `Put right what the stack’s events name, then run \`aws cloudformation continue-update-rollback --stack-name ${name}\`.`
        : `Put right what the stack’s events name, then repeat the operation that failed (for DELETE_FAILED: delete it, with --retain-resources where needed).`,
  })
}
