import type { AppliedResource, ApplyResult, DriverPlan, Finding, ResourceChange } from '../../domain/plans/plan.ts'
import type { TrueupError } from '../../lib/errors/error.ts'
import type { HostOutcome } from './each.ts'
import { addressPrefix } from './host.ts'
import { unreached, unreachedFindings } from './unreached.ts'

/** What one host's part of a plan holds. */
export type HostPlan = Pick<DriverPlan, 'changes' | 'coverage' | 'findings' | 'places'>

/** What an apply did on one host. */
export interface HostResult {
  status: ApplyResult['status'] | 'unchanged'
  resources: AppliedResource[]
  findings: Finding[]
  /** Thrown where nothing was changed on any host. */
  error?: TrueupError
}

export const UNCHANGED: HostResult = { status: 'unchanged', resources: [], findings: [] }

/** The plan of all hosts together; those that did not answer stand in its coverage. */
export function planOfHosts(outcomes: readonly HostOutcome<HostPlan>[]): HostPlan {
  const found = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]))
  return {
    changes: found.flatMap(({ changes }) => changes),
    coverage: {
      checked: found.reduce((sum, { coverage }) => sum + coverage.checked, 0),
      unchecked: [...found.flatMap(({ coverage }) => coverage.unchecked), ...unreached(outcomes)],
    },
    findings: [...found.flatMap(({ findings }) => findings), ...unreachedFindings(outcomes)],
    places: found.flatMap(({ places = [] }) => places),
  }
}

/** The changes of a plan that are this host's. */
export const changesOn = (plan: DriverPlan, name: string): ResourceChange[] =>
  plan.changes.filter(({ address }) => name === '' || address.startsWith(addressPrefix({ name })))

/**
 * Whether an apply has something to do on a host: a change, or something that only an apply can look at (a command without
 * a guard). A host that was not reached at all while planning is left alone: nobody saw what would happen there.
 */
export const hasWork = (plan: DriverPlan, name: string): boolean =>
  changesOn(plan, name).length > 0 ||
  plan.coverage.unchecked.some(({ address }) => address.startsWith(addressPrefix({ name })))

/**
 * What came of an apply on all hosts: changes of hosts that did not answer are skipped, and it counts as done only where
 * none is. Throws what a host refused with when no host was touched.
 */
export function resultOfHosts(outcomes: readonly HostOutcome<HostResult>[], plan: DriverPlan): ApplyResult {
  const results = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]))
  const skipped = outcomes.flatMap(({ name, error }) =>
    error === undefined ? [] : changesOn(plan, name).map((change) => skippedBecause(change, error.text.why)),
  )
  const touched = results.filter(({ status, error }) => status !== 'unchanged' && error === undefined)
  const refused = results.find(({ error }) => error !== undefined)?.error
  if (touched.length === 0 && refused !== undefined) throw refused
  const has = (status: ApplyResult['status']): boolean => touched.some((each) => each.status === status)
  const incomplete = skipped.length > 0 || refused !== undefined || has('failed')
  return {
    status: has('canceled') ? 'canceled' : incomplete ? 'failed' : 'applied',
    resources: [...results.flatMap(({ resources }) => resources), ...skipped],
    outputs: {},
    findings: [...results.flatMap(({ findings }) => findings), ...unreachedFindings(outcomes)],
  }
}

/** A change that was not begun, and why. */
export const skippedBecause = ({ address, actions }: ResourceChange, message: string): AppliedResource => ({
  address,
  actions,
  status: 'skipped',
  message,
})
