import { type Account, stackOf } from '../account.ts'
import { type Answer, ServiceError } from '../answer.ts'
import { startDetection } from '../drift.ts'
import { items, type QueryValue, text } from '../query.ts'
import { page } from './shapes.ts'

export function DetectStackDrift(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  return { StackDriftDetectionId: startDetection(account, stack).id }
}

export function DescribeStackDriftDetectionStatus(account: Account, parameters: QueryValue): Answer {
  const id = text(parameters, 'StackDriftDetectionId')
  const detection = account.detections.find((one) => one.id === id)
  if (detection === undefined) throw new ServiceError('ValidationError', `Drift detection ${id} does not exist`)
  const stack = account.stacks.find((one) => one.id === detection.stackId)
  const drifts = account.drifts.get(detection.stackId) ?? []
  return {
    StackId: detection.stackId,
    StackDriftDetectionId: detection.id,
    StackDriftStatus: detection.status === 'DETECTION_IN_PROGRESS' ? undefined : stack?.driftStatus,
    DetectionStatus: detection.status,
    DetectionStatusReason: detection.reason,
    DriftedStackResourceCount: drifts.filter(({ status }) => status === 'MODIFIED' || status === 'DELETED').length,
    Timestamp: detection.at,
  }
}

export function DescribeStackResourceDrifts(account: Account, parameters: QueryValue): Answer {
  const stack = stackOf(account, text(parameters, 'StackName'))
  const wanted = items(parameters, 'StackResourceDriftStatusFilters') as string[]
  const all = (account.drifts.get(stack.id) ?? []).filter(
    // Types without support are not listed at all, as in the service.
    ({ status }) => status !== 'NOT_CHECKED' && (wanted.length === 0 || wanted.includes(status)),
  )
  const { items: some, NextToken } = page(account, all, text(parameters, 'NextToken'))
  return {
    StackResourceDrifts: some.map((drift) => ({
      StackId: stack.id,
      LogicalResourceId: drift.logicalId,
      PhysicalResourceId: drift.physicalId,
      ResourceType: drift.type,
      StackResourceDriftStatus: drift.status,
      ExpectedProperties: drift.expected && JSON.stringify(drift.expected),
      ActualProperties: drift.actual && JSON.stringify(drift.actual),
      PropertyDifferences: drift.differences.map((one) => ({
        PropertyPath: one.path,
        ExpectedValue: one.expected,
        ActualValue: one.actual,
        DifferenceType: one.kind,
      })),
      Timestamp: drift.at,
    })),
    NextToken,
  }
}
