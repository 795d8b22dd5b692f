import { randomUUID } from 'node:crypto'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { Cloud } from '../api/cloud.ts'
import { apiFailure, serviceCode } from '../api/failures.ts'
import { newEvents } from '../api/stacks.ts'
import type { CloudFormationConfig } from '../config.ts'
import { executionStatusOf } from '../plan/change-set.ts'
import { eventsBefore, follow, type Followed } from './follow.ts'

/**
 * Executes one change set and follows it to its end. PLAN_STALE while nothing was begun: AWS no longer takes the change
 * set, since the stack has changed after it was made.
 */
export async function executeChangeSet(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  {
    changeSetId,
    stackId,
    what,
    redact,
  }: { changeSetId: string; stackId: string; what: 'create' | 'update'; redact: (text: string) => string },
): Promise<Followed> {
  const doing = `executing the change set of ${cloud.stackName}`
  const status = await executionStatusOf(cloud, changeSetId)
  if (status !== 'AVAILABLE') {
    throw new TrueupError('PLAN_STALE', {
      doing,
      why: status === null ? 'the change set is gone' : `the change set is ${status}`,
    })
  }
  const seen = await eventsBefore(cloud, stackId)
  const token = `trueup-${randomUUID()}`
  const input = { ChangeSetName: changeSetId, ClientRequestToken: token }
  try {
    // The run's signal does not cut this off: a request that is under way may already have been taken.
    await cloud.call(doing, (api, o) => api.executeChangeSet(input, o), { raw: true, detached: true })
  } catch (thrown) {
    if (!(await begun(cloud, stackId, token, seen, thrown))) throw refused(thrown, doing)
  }
  const isOver = async (): Promise<boolean> =>
    /^EXECUTE_(COMPLETE|FAILED)$/.test((await executionStatusOf(cloud, changeSetId)) ?? 'EXECUTE_COMPLETE')
  return await follow(context, cloud, { stackId, token, what, seen, redact, isOver })
}

/** An answer can get lost, and the repeated request is then refused: the events tell whether the first one was taken. */
async function begun(
  cloud: Cloud,
  stackId: string,
  token: string,
  seen: Set<string>,
  thrown: unknown,
): Promise<boolean> {
  const code = serviceCode(thrown)
  const doubtful = code.startsWith('InvalidChangeSetStatus') || apiFailure(thrown, '').code === 'TARGET_UNREACHABLE'
  if (!doubtful) return false
  const events = await newEvents(cloud, stackId, { since: new Date(0), seen }).catch(() => [])
  return events.some(({ ClientRequestToken: its }) => its === token)
}

function refused(thrown: unknown, doing: string): TrueupError {
  const failure = apiFailure(thrown, doing)
  // "Stack is in … state and can not be updated": somebody was faster.
  if (failure.code === 'SOURCE_INVALID') return new TrueupError('PLAN_STALE', { ...failure.text, doing })
  return failure
}
