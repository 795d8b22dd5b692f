import { randomUUID } from 'node:crypto'
import type { Stack } from '@aws-sdk/client-cloudformation'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { Cloud } from '../api/cloud.ts'
import { apiFailure } from '../api/failures.ts'
import type { CloudFormationConfig } from '../config.ts'
import { eventsBefore, follow, type Followed } from './follow.ts'

/** Deletes a stack and follows it to its end. TARGET_DENIED where termination protection is on. */
export async function removeStack(
  context: DriverContext<CloudFormationConfig>,
  cloud: Cloud,
  { stack, redact }: { stack: Stack; redact: (text: string) => string },
): Promise<Followed> {
  const doing = `deleting the stack ${cloud.stackName}`
  if (stack.EnableTerminationProtection) throw protectedStack(cloud, doing)
  const stackId = stack.StackId ?? cloud.stackName
  const seen = await eventsBefore(cloud, stackId)
  const token = `trueup-${randomUUID()}`
  const input = {
    StackName: stackId,
    ClientRequestToken: token,
    ...(context.config.roleArn && { RoleARN: context.config.roleArn }),
  }
  try {
    await cloud.call(doing, (api, o) => api.deleteStack(input, o), { raw: true, detached: true })
  } catch (thrown) {
    if (/TerminationProtection/i.test((thrown as Error).message)) throw protectedStack(cloud, doing)
    throw apiFailure(thrown, doing)
  }
  return await follow(context, cloud, { stackId, token, what: 'delete', seen, redact })
}

const protectedStack = (cloud: Cloud, doing: string): TrueupError =>
  new TrueupError('TARGET_DENIED', {
    doing,
    why: 'its termination protection is on',
    next: `Deploy it once with \`terminationProtection: false\`, or run \`aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name ${cloud.stackName}\`.`,
  })
