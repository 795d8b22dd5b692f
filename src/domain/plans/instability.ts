import { canonicalJson } from '../../lib/json.ts'
import type { Plan } from './plan.ts'
import { approvedPart } from './digest.ts'

/**
 * Attributes whose planned value differs between two plans although nothing changed: candidates for `unstable:`. Only
 * plans of one desired digest can tell, and only attributes that start from the same state; for others nothing is
 * reported.
 */
export function findInstability(first: Plan, second: Plan): { address: string; attribute: string }[] {
  if (first.desiredDigest !== second.desiredDigest) return []
  const others = new Map(second.changes.map((change) => [change.address, approvedPart(change)]))
  return first.changes.map(approvedPart).flatMap((change) => {
    const other = others.get(change.address)
    if (!other || canonicalJson(other.actions) !== canonicalJson(change.actions)) return []
    const again = new Map(other.attributes.map((attribute) => [attribute.path, attribute]))
    return change.attributes
      .filter((attribute) => {
        const twin = again.get(attribute.path)
        return twin !== undefined && sameStart(attribute, twin) && !sameEnd(attribute, twin)
      })
      .map((attribute) => ({ address: change.address, attribute: attribute.path }))
  })
}

type End = ReturnType<typeof approvedPart>['attributes'][number]
const sameStart = (a: End, b: End): boolean => canonicalJson(a.before) === canonicalJson(b.before)
const sameEnd = (a: End, b: End): boolean =>
  a.unknown === b.unknown && canonicalJson(a.after) === canonicalJson(b.after)
