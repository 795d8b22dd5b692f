import { setTimeout as delay } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { Account } from './account.ts'
import { ServiceError } from './answer.ts'
import { asText, differences } from './compare.ts'
import { shownOf } from './compute-changes.ts'
import type { DriftDetection, ResourceDrift, Stack, StackResource } from './model.ts'
import { resourceType } from './resource-types.ts'

/** States in which drift detection may start (AWS: "Considerations when detecting drift"). */
const DETECTABLE = [
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'UPDATE_ROLLBACK_FAILED',
  'IMPORT_COMPLETE',
]

/** Starts a detection; it ends some steps later. */
export function startDetection(account: Account, stack: Stack): DriftDetection {
  if (!DETECTABLE.includes(stack.status)) {
    throw new ServiceError(
      'ValidationError',
      `Drift detection cannot be performed on stack [${stack.id}] in its current state: ${stack.status}`,
    )
  }
  const running = account.detections.find((one) => one.stackId === stack.id && one.status === 'DETECTION_IN_PROGRESS')
  if (running) {
    throw new ServiceError('ValidationError', `Drift detection is already in progress for stack [${stack.id}]`)
  }
  const detection: DriftDetection = {
    id: randomUUID(),
    stackId: stack.id,
    status: 'DETECTION_IN_PROGRESS',
    at: new Date(),
  }
  account.detections.push(detection)
  void detect(account, stack, detection)
  return detection
}

async function detect(account: Account, stack: Stack, detection: DriftDetection): Promise<void> {
  await delay(account.stepMs * 2)
  const failed: string[] = []
  const drifts = [...stack.resources.values()].map((resource) => {
    const drift = driftOf(account, resource)
    if (account.undetectable.has(resource.logicalId)) failed.push(resource.logicalId)
    resource.driftStatus = drift.status
    return drift
  })
  account.drifts.set(stack.id, drifts)
  const drifted = drifts.some(({ status }) => status === 'MODIFIED' || status === 'DELETED')
  stack.driftStatus = drifted ? 'DRIFTED' : 'IN_SYNC'
  detection.status = failed.length > 0 ? 'DETECTION_FAILED' : 'DETECTION_COMPLETE'
  if (failed.length > 0) detection.reason = `Failed to detect drift on resource [${failed.join(', ')}]`
}

function driftOf(account: Account, resource: StackResource): ResourceDrift {
  const kind = resourceType(resource.type)!
  const { logicalId, physicalId, type, properties } = resource
  const base = { logicalId, physicalId, type, at: new Date(), differences: [] }
  if (!kind.drift || account.undetectable.has(logicalId)) return { ...base, status: 'NOT_CHECKED' }
  const visible = Object.fromEntries(Object.entries(properties).filter(([name]) => !kind.writeOnly?.includes(name)))
  const real = account.objects.get(physicalId)
  if (real === undefined) return { ...base, status: 'DELETED', expected: visible }
  const actual = shownOf(real.properties, visible, {})
  const found = differences(visible, actual).map(({ path, before, after }) => ({
    path,
    expected: before === undefined ? 'null' : asText(before),
    actual: after === undefined ? 'null' : asText(after),
    kind: before === undefined ? ('ADD' as const) : after === undefined ? ('REMOVE' as const) : ('NOT_EQUAL' as const),
  }))
  return { ...base, status: found.length > 0 ? 'MODIFIED' : 'IN_SYNC', expected: visible, actual, differences: found }
}
