import type { StackResourceDrift } from '@aws-sdk/client-cloudformation'
import type { Coverage } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import type { Cloud } from '../api/cloud.ts'
import { apiFailure, isNotOffered, serviceCode } from '../api/failures.ts'
import { resourcesOf } from '../api/stacks.ts'
import { STACK_TYPE } from '../names.ts'

/** One resource that is not as it was deployed. */
export interface ResourceDrift {
  address: string
  type: string
  deleted: boolean
  expected: JsonObject
  actual: JsonObject
  differences: { path: (string | number)[]; attribute: string; expected?: Json; actual?: Json }[]
}

export interface DriftReport {
  drifts: ResourceDrift[]
  coverage: Coverage
  /** Physical id of each resource that was looked at, by address. */
  offered: boolean
}

const NOTHING: DriftReport = { drifts: [], coverage: { checked: 0, unchecked: [] }, offered: true }

/**
 * Asks AWS for the drift of a stack and of every stack nested in it, which its own detection leaves out.
 * What AWS could not look at stands in the coverage: types without support, missing permissions, a detection that ended
 * half-way. TIMED_OUT where it is not over in time.
 */
export async function detectDrift(
  cloud: Cloud,
  stackId: string,
  options: { untilMs: number },
  prefix = '',
): Promise<DriftReport> {
  const resources = await resourcesOf(cloud, stackId)
  const living = resources.filter(({ ResourceStatus: status }) => status !== 'DELETE_COMPLETE')
  const all = living.map((one) => ({ ...one, address: `${prefix}${one.LogicalResourceId}` }))
  const started = await start(cloud, stackId, options)
  if (started === null) {
    const why = 'the endpoint offers no drift detection'
    return {
      ...NOTHING,
      offered: false,
      coverage: { checked: 0, unchecked: all.map(({ address }) => ({ address, why })) },
    }
  }
  if ('why' in started)
    return {
      ...NOTHING,
      coverage: { checked: 0, unchecked: all.map(({ address }) => ({ address, why: started.why })) },
    }
  const failure = await ended(cloud, started.id, options)
  const looked = await lookedAt(cloud, stackId)
  const report: DriftReport = { drifts: [], coverage: { checked: 0, unchecked: [] }, offered: true }
  for (const resource of all) {
    const { address, ResourceType: type = '', PhysicalResourceId: physicalId } = resource
    if (type === STACK_TYPE && physicalId) {
      merge(report, await detectDrift(cloud, physicalId, options, `${address}/`))
      continue
    }
    const found = looked.find(({ LogicalResourceId }) => LogicalResourceId === resource.LogicalResourceId)
    const status = found?.StackResourceDriftStatus
    if (found === undefined || status === 'NOT_CHECKED' || status === undefined || /UNKNOWN|UNSUPPORTED/.test(status)) {
      const why = found?.DriftStatusReason ?? failure ?? `drift detection does not support ${type}`
      report.coverage.unchecked.push({ address, why })
      continue
    }
    report.coverage.checked += 1
    if (status === 'MODIFIED' || status === 'DELETED') report.drifts.push(driftOf(found, address))
  }
  return report
}

function merge(report: DriftReport, inner: DriftReport): void {
  report.drifts.push(...inner.drifts)
  report.coverage.checked += inner.coverage.checked
  report.coverage.unchecked.push(...inner.coverage.unchecked)
}

/**
 * Starts a detection, after one that somebody else has started. `why`: the stack is in a state in which AWS does not look
 * ("Considerations when detecting drift"). Null where the endpoint does not know how.
 */
async function start(
  cloud: Cloud,
  StackName: string,
  { untilMs }: { untilMs: number },
): Promise<{ id: string } | { why: string } | null> {
  const doing = `starting drift detection on ${cloud.stackName}`
  for (;;) {
    try {
      const answer = await cloud.call(doing, (api, o) => api.detectStackDrift({ StackName }, o), { raw: true })
      return { id: answer.StackDriftDetectionId ?? '' }
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : ''
      const running = serviceCode(thrown).startsWith('Validation') && /already in progress|in progress/i.test(message)
      if (!running) {
        if (/cannot be performed/i.test(message)) return { why: message }
        if (isNotOffered(thrown)) return null
        throw apiFailure(thrown, doing)
      }
      if (Date.now() > untilMs) throw timedOut(doing)
    }
    await cloud.pause()
  }
}

/** Waits for the end; what is said when it failed (results are then partial), or null. */
async function ended(
  cloud: Cloud,
  StackDriftDetectionId: string,
  { untilMs }: { untilMs: number },
): Promise<string | null> {
  const doing = `detecting drift on ${cloud.stackName}`
  for (;;) {
    const answer = await cloud.call(doing, (api, o) =>
      api.describeStackDriftDetectionStatus({ StackDriftDetectionId }, o),
    )
    if (answer.DetectionStatus === 'DETECTION_COMPLETE') return null
    if (answer.DetectionStatus === 'DETECTION_FAILED')
      return answer.DetectionStatusReason ?? 'drift detection failed without a reason'
    if (Date.now() > untilMs) throw timedOut(doing)
    await cloud.pause()
  }
}

async function lookedAt(cloud: Cloud, StackName: string): Promise<StackResourceDrift[]> {
  const all: StackResourceDrift[] = []
  let NextToken: string | undefined
  do {
    const input = { StackName, ...(NextToken && { NextToken }) }
    const page = await cloud.call('reading the drift of the resources', (api, o) =>
      api.describeStackResourceDrifts(input, o),
    )
    all.push(...(page.StackResourceDrifts ?? []))
    NextToken = page.NextToken
  } while (NextToken)
  return all
}

function driftOf(found: StackResourceDrift, address: string): ResourceDrift {
  return {
    address,
    type: found.ResourceType ?? '',
    deleted: found.StackResourceDriftStatus === 'DELETED',
    expected: json(found.ExpectedProperties),
    actual: json(found.ActualProperties),
    differences: (found.PropertyDifferences ?? []).map((one) => {
      const path = pointer(one.PropertyPath ?? '')
      return {
        path,
        attribute: attributeOf(path),
        ...(one.DifferenceType !== 'ADD' && { expected: value(one.ExpectedValue) }),
        ...(one.DifferenceType !== 'REMOVE' && { actual: value(one.ActualValue) }),
      }
    }),
  }
}

/** `/Tags/0/Value` as steps. */
export function pointer(path: string): (string | number)[] {
  return path
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step))
}

/** Steps as plans write them: `Tags[0].Value`. */
export function attributeOf(steps: readonly (string | number)[]): string {
  return steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`
    if (!/^[A-Za-z_][\w-]*$/.test(step)) return `${path}[${JSON.stringify(step)}]`
    return path === '' ? step : `${path}.${step}`
  }, '')
}

/** Objects and lists come as JSON, everything else as text. */
function value(text: string | undefined): Json {
  if (text === undefined) return null
  if (!/^\s*[[{]/.test(text)) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

function json(text: string | undefined): JsonObject {
  const read = value(text)
  return read !== null && typeof read === 'object' && !Array.isArray(read) ? read : {}
}

const timedOut = (doing: string): TrueupError =>
  new TrueupError('TIMED_OUT', {
    doing,
    why: 'it was not over in time',
    next: 'Try again, or raise `with.planTimeoutMinutes`.',
  })
