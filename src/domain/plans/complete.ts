import { canonicalJson, type Json } from '../../lib/json.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { applyIgnoreToChanges, compileIgnore, type IgnoreMatcher } from './ignore.ts'
import type { AttributeChange, Cause, DriverPlan, Finding, Plan, ResourceChange } from './plan.ts'
import type { IgnoreRule } from './ignore-rule.ts'
import { boundCoverage } from './coverage.ts'
import { orderedActions, planDigest } from './digest.ts'
import { bounded, nestsWithin } from './large.ts'
import { byText } from './order.ts'
import { summarise } from './summary.ts'
import { MAX_PLACES, type Place } from './place.ts'

export const MAX_CHANGES = 20_000
/** Values of a whole plan, in bytes of JSON. */
export const MAX_PLAN_BYTES = 64 * 1024 * 1024
/** Deeper values come from no tool we know and would exhaust the stack of whoever walks them. */
export const MAX_NESTING = 100
/** All outputs together, in characters of JSON. */
export const MAX_OUTPUTS = 4 * 1024 * 1024
export const MAX_FINDINGS = 1_000

export interface PlanFacts {
  desiredDigest: string
  ignore: readonly IgnoreRule[]
  unstable: readonly IgnoreRule[]
  /** Overrides the cause that the driver gave, where the caller knows it; null keeps the driver's. */
  cause: Cause | null
}

/**
 * Turns what a driver handed over into the plan that is stored, compared and approved: ignored and empty changes are
 * dropped, changes stand in the order of their addresses and attributes in the order of their paths, large values are
 * replaced by a marker, a long list of what was not checked is folded, and summary and digest are added. Completing a complete plan again changes nothing.
 *
 * @throws TrueupError TOO_LARGE above 20,000 changes, 64 MiB of values, or 100 levels of nesting
 */
export function completePlan(driverPlan: DriverPlan, facts: PlanFacts): Plan {
  if (driverPlan.changes.length > MAX_CHANGES) {
    throw tooLarge(`it has ${driverPlan.changes.length} changes, and at most ${MAX_CHANGES} are kept`)
  }
  const changing = driverPlan.changes.map(withoutNoise).filter((change) => change !== null)
  assertOutputs(driverPlan.outputs)
  const isUnstable = compileIgnore(facts.unstable)
  const changes = boundChanges(applyIgnoreToChanges(changing, facts.ignore))
    .map((change) => inOrder(change, isUnstable))
    .map((change) => (facts.cause === null ? change : { ...change, cause: facts.cause }))
  const parts = {
    changes: distinct(changes, 'address'),
    desiredDigest: facts.desiredDigest,
    toolVersions: driverPlan.toolVersions,
    coverage: boundCoverage(driverPlan.coverage),
  }
  return {
    ...parts,
    outputs: driverPlan.outputs,
    findings: boundFindings([...driverPlan.findings, ...placesLeftOut(driverPlan.places)]),
    ...(driverPlan.places && { places: distinctPlaces(driverPlan.places) }),
    summary: summarise(parts.changes, parts.coverage),
    digest: planDigest(parts),
  }
}

/** The change without attributes that stay as they are; null where nothing is left of it. */
function withoutNoise(change: ResourceChange): ResourceChange | null {
  const actions = orderedActions(change.actions)
  if (actions.length === 0) return null
  const attributes = change.attributes.filter(changes)
  // An update that names no attribute at all is the tool's "changed, details unknown" and stays.
  const emptied = attributes.length === 0 && change.attributes.length > 0
  if (emptied && actions.every((action) => action === 'update') && change.previousAddress === undefined) return null
  return { ...change, actions, attributes }
}

function changes(attribute: AttributeChange): boolean {
  if (attribute.unknown) return true
  assertNesting(attribute)
  return canonicalJson(attribute.before) !== canonicalJson(attribute.after)
}

function inOrder(change: ResourceChange, isUnstable: IgnoreMatcher): ResourceChange {
  const attributes = change.attributes.map(({ unstable, ...attribute }) =>
    unstable || isUnstable(change.address, attribute.path) ? { ...attribute, unstable: true } : attribute,
  )
  return { ...change, attributes: distinct(attributes, 'path') }
}

/**
 * In order of `key`, repeats dropped. Two different items with one key would hide each other in comparisons, so the
 * second is shown as `key#2`.
 */
function distinct<Key extends string, T extends { [K in Key]: string }>(items: readonly T[], key: Key): T[] {
  const texts = new Map(items.map((item) => [canonicalJson(item), item]))
  const sorted = [...texts.entries()].sort(byText(([text]) => text)).map(([, item]) => item)
  const taken = new Set<string>(sorted.map((item) => item[key]))
  const seen = new Set<string>()
  return sorted
    .map((item) => {
      const name = seen.has(item[key]) ? freeName(item[key], taken) : item[key]
      seen.add(name)
      taken.add(name)
      return name === item[key] ? item : { ...item, [key]: name }
    })
    .sort(byText((item) => item[key]))
}

function freeName(name: string, taken: ReadonlySet<string>): string {
  let number = 2
  while (taken.has(`${name}#${number}`)) number += 1
  return `${name}#${number}`
}

function boundChanges(changes: readonly ResourceChange[]): ResourceChange[] {
  let total = 0
  const bound = (value: Json): Json => {
    const kept = bounded(value)
    total += kept.bytes
    if (total > MAX_PLAN_BYTES) throw tooLarge(`its values are more than ${MAX_PLAN_BYTES / 1024 / 1024} MiB`)
    return kept.value
  }
  return changes.map((change) => ({
    ...change,
    attributes: change.attributes.map((attribute) => {
      assertNesting(attribute)
      return {
        ...attribute,
        ...(attribute.before !== undefined && { before: bound(attribute.before) }),
        ...(attribute.after !== undefined && { after: bound(attribute.after) }),
        ...(attribute.shown !== undefined && { shown: bound(attribute.shown) as string }),
      }
    }),
  }))
}

function boundFindings(findings: readonly Finding[]): Finding[] {
  if (findings.length <= MAX_FINDINGS) return [...findings]
  const left = findings.length - MAX_FINDINGS + 1
  return [
    ...findings.slice(0, MAX_FINDINGS - 1),
    { severity: 'warning', code: 'more_findings', message: `${left} more findings are in the log of the run` },
  ]
}

const distinctPlaces = (places: readonly Place[]): Place[] =>
  [...new Map(places.map((place) => [place.address, place])).values()]
    .toSorted(byText(({ address }) => address))
    .slice(0, MAX_PLACES)

function placesLeftOut(places: readonly Place[] = []): Finding[] {
  const left = new Set(places.map(({ address }) => address)).size - MAX_PLACES
  if (left <= 0) return []
  const message = `${left} more files are not compared with those of other stacks: split the stack to protect them`
  return [{ severity: 'warning', code: 'places_left_out', message }]
}

/** Outputs become other stacks' inputs, so they are never shortened. */
function assertOutputs(outputs: DriverPlan['outputs']): void {
  for (const [name, output] of Object.entries(outputs)) {
    if (!nestsWithin(output.value, MAX_NESTING))
      throw tooLarge(`output ${name} nests deeper than ${MAX_NESTING} levels`)
  }
  if (JSON.stringify(outputs).length > MAX_OUTPUTS)
    throw tooLarge(`its outputs are more than ${MAX_OUTPUTS} characters`)
}

function assertNesting(attribute: AttributeChange): void {
  if (nestsWithin(attribute.before, MAX_NESTING) && nestsWithin(attribute.after, MAX_NESTING)) return
  throw tooLarge(`the value of ${attribute.path} nests deeper than ${MAX_NESTING} levels`)
}

function tooLarge(why: string): TrueupError {
  return new TrueupError('TOO_LARGE', {
    doing: 'completing the plan of a stack',
    why,
    next: 'Split the stack into smaller ones, or list what need not be shown under `ignore:`.',
  })
}
