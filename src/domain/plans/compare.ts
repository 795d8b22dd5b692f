import { canonicalJson } from '../../lib/json.ts'
import type { Plan, ResourceChange, Unchecked } from './plan.ts'
import { approvedEntry, covering } from './coverage.ts'
import { approvedPart, majorVersions, type ApprovedAttribute, type ApprovedChange } from './digest.ts'
import { compareText } from './order.ts'
import { valueText } from './value-text.ts'

/**
 * How a fresh plan departs from the approved one. `added`: not approved; `missing`: approved, no longer needed;
 * `before_changed`: something else than approved would be destroyed; `became_known`: approved as "known after apply", now a
 * value; `not_checked`: was looked at when it was approved, or not hindered like that; `now_checked`: was not looked at then.
 */
export type DifferenceKind =
  | 'added'
  | 'missing'
  | 'before_changed'
  | 'after_changed'
  | 'became_known'
  | 'actions_changed'
  | 'move_changed'
  | 'desired_changed'
  | 'tool_changed'
  | 'not_checked'
  | 'now_checked'

/**
 * One difference. `attribute` is empty for a whole resource; `address` is empty for what concerns the whole plan, and
 * `attribute` then names the tool of `tool_changed`.
 */
export interface PlanDifference {
  address: string
  attribute: string
  how: DifferenceKind
  /** The two sides as short text for people, sensitive values hidden; absent where there is no such side. */
  approved?: string
  fresh?: string
}

export interface PlanComparison {
  verdict: 'equal' | 'fewer' | 'different'
  differences: PlanDifference[]
}

/**
 * Compares the plan that was approved with one made now. `equal` holds exactly when the digests are equal; `fewer` when
 * all that is left was approved and something approved is no longer needed; everything else is `different`.
 *
 * An attribute may be missing only from an update, where it means "is already so". Missing from a creation it would
 * mean that the resource is made otherwise than approved (without its encryption, say), which is `different`.
 */
export function comparePlans(approved: Plan, fresh: Plan): PlanComparison {
  const was = new Map(approved.changes.map((change) => [change.address, change]))
  const is = new Map(fresh.changes.map((change) => [change.address, change]))
  const differences = [...wholePlanDifferences(approved, fresh)]
  let harmless = differences.length === 0
  for (const address of [...new Set([...was.keys(), ...is.keys()])].sort(compareText)) {
    const [before, after] = [was.get(address), is.get(address)]
    const found = changeDifferences(address, before, after)
    harmless &&=
      found.every((difference) => difference.how === 'missing') && (!after || found.length === 0 || isUpdate(after))
    for (const difference of found) differences.push(difference)
  }
  for (const difference of coverageDifferences(approved.coverage.unchecked, fresh.coverage.unchecked)) {
    harmless &&= difference.how === 'now_checked'
    differences.push(difference)
  }
  // The digest has the last word: whatever the comparison by address could not see is not what was approved.
  if (differences.length === 0)
    return { verdict: approved.digest === fresh.digest ? 'equal' : 'different', differences }
  return { verdict: harmless ? 'fewer' : 'different', differences }
}

const isUpdate = (change: ResourceChange): boolean => change.actions.every((action) => action === 'update')

function* wholePlanDifferences(approved: Plan, fresh: Plan): Generator<PlanDifference> {
  if (approved.desiredDigest !== fresh.desiredDigest) {
    const [was, is] = [approved.desiredDigest, fresh.desiredDigest]
    yield { address: '', attribute: '', how: 'desired_changed', approved: shortDigest(was), fresh: shortDigest(is) }
  }
  const [was, is] = [majorVersions(approved.toolVersions), majorVersions(fresh.toolVersions)]
  for (const tool of [...new Set([...Object.keys(was), ...Object.keys(is)])].sort(compareText)) {
    if (was[tool] === is[tool]) continue
    yield { address: '', attribute: tool, how: 'tool_changed', approved: was[tool], fresh: is[tool] }
  }
}

/** What people approved includes what nobody could look at: more of it was not approved, less of it was. */
function* coverageDifferences(approved: readonly Unchecked[], fresh: readonly Unchecked[]): Generator<PlanDifference> {
  const wasListed = new Set(approved.map(approvedEntry))
  const isListed = new Set(fresh.map(approvedEntry))
  const wasUnchecked = covering(approved.filter(({ folded }) => folded === undefined))
  const wasFailed = covering(approved.filter(({ failed }) => failed))
  for (const entry of fresh) {
    const wasKnown =
      wasListed.has(approvedEntry(entry)) ||
      (entry.folded === undefined && (entry.failed ? wasFailed(entry.address) : wasUnchecked(entry.address)))
    if (!wasKnown) yield { address: entry.address, attribute: '', how: 'not_checked', fresh: entry.why }
  }
  for (const entry of approved) {
    if (isListed.has(approvedEntry(entry))) continue
    yield { address: entry.address, attribute: '', how: 'now_checked', approved: entry.why }
  }
}

function changeDifferences(address: string, approved?: ResourceChange, fresh?: ResourceChange): PlanDifference[] {
  if (!approved || !fresh) {
    const side = approved ? { approved: approved.actions.join('+') } : { fresh: (fresh?.actions ?? []).join('+') }
    return [{ address, attribute: '', how: approved ? 'missing' : 'added', ...side }]
  }
  return [...resourceDifferences(approvedPart(approved), approvedPart(fresh))]
}

function* resourceDifferences(approved: ApprovedChange, fresh: ApprovedChange): Generator<PlanDifference> {
  const { address } = approved
  const [wasActions, isActions] = [approved.actions.join('+'), fresh.actions.join('+')]
  if (wasActions !== isActions) {
    yield { address, attribute: '', how: 'actions_changed', approved: wasActions, fresh: isActions }
  }
  if (approved.from !== fresh.from) {
    yield { address, attribute: '', how: 'move_changed', approved: approved.from, fresh: fresh.from }
  }
  const was = new Map(approved.attributes.map((attribute) => [attribute.path, attribute]))
  const is = new Map(fresh.attributes.map((attribute) => [attribute.path, attribute]))
  for (const path of [...new Set([...was.keys(), ...is.keys()])].sort(compareText)) {
    // Another action destroys otherwise, which it says itself.
    for (const difference of attributeDifferences(address, path, was.get(path), is.get(path)))
      if (difference.how !== 'before_changed' || wasActions === isActions) yield difference
  }
}

function* attributeDifferences(
  address: string,
  attribute: string,
  approved?: ApprovedAttribute,
  fresh?: ApprovedAttribute,
): Generator<PlanDifference> {
  if (!approved || !fresh) {
    const side = {
      ...(approved && { approved: valueText(approved, 'after') }),
      ...(fresh && { fresh: valueText(fresh, 'after') }),
    }
    yield { address, attribute, how: approved ? 'missing' : 'added', ...side }
    return
  }
  const shown = (side: 'before' | 'after') => ({
    approved: valueText(approved, side),
    fresh: valueText(fresh, side),
  })
  if (canonicalJson(approved.before) !== canonicalJson(fresh.before)) {
    yield { address, attribute, how: 'before_changed', ...shown('before') }
  }
  if (approved.unknown && !fresh.unknown) {
    yield { address, attribute, how: 'became_known', ...shown('after') }
  } else if (afterOf(approved) !== afterOf(fresh)) {
    yield { address, attribute, how: 'after_changed', ...shown('after') }
  }
}

/** A value that turns sensitive, or stops being so, is another value: its stored form changes with it. */
function afterOf(attribute: ApprovedAttribute): string {
  return canonicalJson({ after: attribute.after, unknown: attribute.unknown, sensitive: attribute.sensitive })
}

const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12)

/** `*` as what it stands for. */
const nameOf = (address: string): string => (address === '*' ? 'a part of the stack' : address)

/** One difference in a sentence for people. */
export function describeDifference(difference: PlanDifference): string {
  const { address, attribute, how, approved = 'nothing', fresh = 'nothing' } = difference
  const what = attribute === '' ? address : `${attribute} of ${address}`
  switch (how) {
    case 'added':
      return attribute === ''
        ? `${address} was not approved: it would now ${fresh}`
        : `${what} was not approved: it would now become ${fresh}`
    case 'missing':
      return attribute === ''
        ? `${address} no longer changes (approved: ${approved})`
        : `${what} no longer changes (approved: to become ${approved})`
    case 'before_changed':
      return `${what} is now ${fresh}; it was ${approved} when it was approved`
    case 'after_changed':
      return `${what} would become ${fresh}; approved was ${approved}`
    case 'became_known':
      return `${what} would become ${fresh}; it was not yet known when it was approved`
    case 'actions_changed':
      return `${address} would now ${fresh}; approved was ${approved}`
    case 'move_changed':
      return `${address} would be moved from ${fresh}; approved was ${approved}`
    case 'desired_changed':
      return `the desired state is ${fresh}; approved was ${approved}`
    case 'tool_changed':
      return `${attribute} is now version ${fresh}; the approved plan was made with ${approved}`
    case 'not_checked':
      return `${nameOf(address)} could not be checked: ${fresh}; that was not approved`
    case 'now_checked':
      return `${nameOf(address)} was not checked when it was approved (${approved})`
  }
}
