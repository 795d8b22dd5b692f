import type { StackEvent } from '@aws-sdk/client-cloudformation'
import { setTimeout as delay } from 'node:timers/promises'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { Cloud } from '../api/cloud.ts'
import { findStack, newEvents } from '../api/stacks.ts'
import type { CloudFormationConfig } from '../config.ts'
import { STACK_TYPE } from '../names.ts'

/** How long AWS may not answer before we say that we have lost sight of an operation that goes on. */
const PATIENCE_MS = 10 * 60_000
/** After a cancel: how long we watch the roll-back that was asked for. Then the worker has to be free. */
const CANCEL_MS = 8_000
/** Clocks of worker and AWS may differ; events are told apart by their token first. */
const CLOCK_MS = 15 * 60_000

export interface Operation {
  stackId: string
  /** ClientRequestToken that marks the operation's events. */
  token: string
  what: 'create' | 'update' | 'delete'
  /** Events that were there before it began. */
  seen: Set<string>
  redact: (text: string) => string
  /** Is it over for certain, although no event says so? For endpoints that give none. */
  isOver?: () => Promise<boolean>
}

export interface Followed {
  /** Status of the stack at the end; `DELETE_COMPLETE` also where it is gone. */
  status: string
  reason: string
  /** Last event of each resource, and its first failure, by logical id. */
  last: Map<string, StackEvent>
  failures: StackEvent[]
  canceled: boolean
  /** The last event of the stack itself said that it has come to rest. */
  atRest: boolean
  /** What was said when AWS could no longer be asked. */
  lost?: string
}

/** What is known of an operation that was not begun, or of which AWS could not be asked: why. */
export const lostSight = (context: DriverContext<CloudFormationConfig>, status: string, why: string): Followed => ({
  status,
  reason: '',
  last: new Map(),
  failures: [],
  atRest: true,
  canceled: context.signal.aborted,
  lost: why,
})

/** Remembers the events that a stack has, before an operation begins. */
export async function eventsBefore(cloud: Cloud, stackId: string): Promise<Set<string>> {
  const seen = new Set<string>()
  for (const { EventId: id = '' } of await newEvents(cloud, stackId, { since: new Date(0), seen: new Set() }))
    seen.add(id)
  return seen
}

/** Logs the events of an operation as they come, until the stack has come to rest. Never throws. */
export async function follow(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  operation: Operation,
): Promise<Followed> {
  const followed: Followed = { status: '', reason: '', last: new Map(), failures: [], canceled: false, atRest: false }
  let lastAnswer = Date.now()
  let cancelUntil: number | undefined
  for (;;) {
    if (context.signal.aborted && cancelUntil === undefined) {
      followed.canceled = true
      cancelUntil = Date.now() + CANCEL_MS
      await askToCancel(context, cloud, operation)
    }
    try {
      if (await look(context, cloud, operation, followed)) return followed
      lastAnswer = Date.now()
    } catch (thrown) {
      const error = thrown instanceof TrueupError ? thrown : undefined
      const patient = Date.now() - lastAnswer < PATIENCE_MS && (error?.retryable ?? false)
      if (!patient) return { ...followed, lost: (thrown as Error).message }
    }
    if (cancelUntil !== undefined && Date.now() > cancelUntil) return followed
    const pause = context.config.pollSeconds * 1000
    // After a stop of the run the signal is spent, and would let us spin.
    await delay(pause, undefined, cancelUntil === undefined ? { signal: context.signal } : {}).catch(() => undefined)
  }
}

async function look(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  operation: Operation,
  followed: Followed,
): Promise<boolean> {
  const { stackId, token, seen } = operation
  // The stack before its events: what it has come to is then among them.
  const stack = await findStack(cloud, { id: stackId, detached: true })
  const events = await newEvents(cloud, stackId, { since: new Date(Date.now() - CLOCK_MS), seen }).catch(
    (thrown: unknown) => {
      if (stack === null) return []
      throw thrown
    },
  )
  for (const event of events) {
    seen.add(event.EventId ?? '')
    if (event.ClientRequestToken !== undefined && event.ClientRequestToken !== token) continue
    context.log(operation.redact(lineOf(event)))
    const status = event.ResourceStatus ?? ''
    const id = event.LogicalResourceId ?? ''
    if (event.PhysicalResourceId === stackId && event.ResourceType === STACK_TYPE) {
      followed.atRest = !status.endsWith('_IN_PROGRESS')
      continue
    }
    followed.last.set(id, event)
    if (status.endsWith('_FAILED')) followed.failures.push(event)
  }
  followed.status = stack?.StackStatus ?? 'DELETE_COMPLETE'
  followed.reason = stack?.StackStatusReason ?? ''
  if (followed.status.endsWith('_IN_PROGRESS')) return false
  return followed.atRest || stack === null || ((await operation.isOver?.()) ?? false)
}

/** Only an update can be stopped; AWS then rolls it back. */
async function askToCancel(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  { stackId, what }: Operation,
): Promise<void> {
  if (what !== 'update') {
    context.log(`the run was stopped; AWS offers no way to stop a ${what}, it goes on there`)
    return
  }
  try {
    await cloud.call('canceling the update', (api, o) => api.cancelUpdateStack({ StackName: stackId }, o), {
      detached: true,
    })
    context.log('the run was stopped: the update is being rolled back')
  } catch (thrown) {
    context.log(`the run was stopped; the update could not be: ${(thrown as Error).message}`)
  }
}

function lineOf(event: StackEvent): string {
  const reason = event.ResourceStatusReason ? ` (${event.ResourceStatusReason.replaceAll(/\s+/g, ' ')})` : ''
  return `${event.LogicalResourceId} ${event.ResourceStatus}${reason}`
}
