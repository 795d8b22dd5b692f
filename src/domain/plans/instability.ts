import { canonicalJson, type Json } from '../../lib/json.ts'
import { orderedActions } from './digest.ts'
import { byText } from './order.ts'
import type { AttributeChange, Plan, ResourceChange } from './plan.ts'

/**
 * Attributes whose planned value differs between two plans although nothing changed: candidates for `unstable:`. Only
 * plans of one desired digest can tell, and only attributes that start from the same state; for others nothing is
 * reported.
 */
export function findInstability(first: Plan, second: Plan): { address: string; attribute: string }[] {
  if (first.desiredDigest !== second.desiredDigest) return []
  const others = new Map(second.changes.map((change) => [change.address, change]))
  return first.changes.flatMap((change) => {
    const other = others.get(change.address)
    if (!other || canonicalJson(orderedActions(other.actions)) !== canonicalJson(orderedActions(change.actions)))
      return []
    const again = new Map(stable(other).map((attribute) => [attribute.path, attribute]))
    return stable(change)
      .filter((attribute) => {
        const twin = again.get(attribute.path)
        return twin !== undefined && sameStart(attribute, twin) && !sameEnd(attribute, twin)
      })
      .map((attribute) => ({ address: change.address, attribute: attribute.path }))
  })
}

const stable = ({ attributes }: ResourceChange): AttributeChange[] =>
  attributes.filter((attribute) => !attribute.unstable).sort(byText((attribute) => attribute.path))
const text = (value: Json | undefined): string => (value === undefined ? '' : canonicalJson(value))
const sameStart = (a: AttributeChange, b: AttributeChange): boolean => text(a.before) === text(b.before)
const sameEnd = (a: AttributeChange, b: AttributeChange): boolean => {
  if (a.unknown === true || b.unknown === true) return a.unknown === b.unknown
  return text(a.after) === text(b.after)
}
