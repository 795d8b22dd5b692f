import type { DriverPlan } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { canonicalJson } from '../../../lib/json.ts'
import type { Step } from './compare.ts'
import type { Survey } from './survey-state.ts'

/**
 * The steps of a fresh survey that are exactly the plan's changes, in the order of doing them. What has drifted since and
 * is not in the plan stays as it is. Throws PLAN_STALE when a planned change is not what would be done now.
 */
export function selectPlanned({ steps, target }: Survey, plan: DriverPlan): Step[] {
  const fresh = new Map(steps.map((step) => [step.change.address, step]))
  const chosen: Step[] = []
  const stale: string[] = []
  for (const change of plan.changes) {
    const step = fresh.get(change.address)
    if (step && sameChange(step.change, change)) chosen.push(step)
    // A directory that the target lies in: a neighbour's first deployment has made it meanwhile.
    else if (step || !target.path.startsWith(`${change.address}/`)) stale.push(change.address)
  }
  if (stale.length > 0) throw staleError(target.path, stale)
  return inOrder(chosen)
}

/** Nothing was changed: the host is not as it was when the plan was made. */
export function staleError(target: string, stale: readonly string[]): TrueupError {
  const more = stale.length > 3 ? ` and ${stale.length - 3} more` : ''
  return new TrueupError('PLAN_STALE', {
    doing: `applying the plan to ${target}`,
    why: `${stale.slice(0, 3).join(', ')}${more} changed after the plan was made`,
    next: 'Nothing was changed. Plan again.',
    details: { addresses: stale.slice(0, 100) },
  })
}

/** The engine sets the cause, and may reword the reason; what would be done is the rest. */
const sameChange = (a: Step['change'], b: Step['change']): boolean =>
  canonicalJson([a.type, a.actions, a.attributes]) === canonicalJson([b.type, b.actions, b.attributes])

/**
 * What is in the way goes first, deepest first; then everything is made, parents first; then what is superfluous goes, so
 * that a stop half-way has lost as little as can be; commands come last.
 */
function inOrder(steps: readonly Step[]): Step[] {
  const deepestFirst = (a: Step, b: Step): number => depth(b) - depth(a) || (a.path < b.path ? -1 : 1)
  const rank = (step: Step): number => {
    if (step.act === 'reload') return 3
    if (step.act !== 'delete') return 1
    return step.inTheWay ? 0 : 2
  }
  return [...steps].sort((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b)
    return a.act === 'delete' ? deepestFirst(a, b) : a.change.address < b.change.address ? -1 : 1
  })
}

const depth = ({ path }: Step): number => (path === '' ? 0 : path.split('/').length)
