import type { AttributeChange, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import type { Redaction } from '../../values/redaction.ts'
import { hasTrue, propertiesOf, resourcesIn, sensitiveMask } from '../source/expressions.ts'
import { scalarText } from './contexts.ts'
import type { ResourceDrift } from './drift.ts'

/**
 * Adds what has drifted to the changes of an ordinary change set, which compares templates only: a drifted property is
 * set back from what is there to what the template says, a resource that is gone is created.
 */
export function withDrift(
  changes: readonly ResourceChange[],
  drifts: readonly ResourceDrift[],
  facts: { template: JsonObject; sensitive: ReadonlySet<string>; redaction: Redaction },
): ResourceChange[] {
  const all = new Map(changes.map((change) => [change.address, change]))
  for (const drift of drifts) {
    const known = all.get(drift.address)
    if (known?.actions.some((action) => action === 'delete' || action === 'forget' || action === 'replace')) continue
    all.set(drift.address, merged(known, drift, facts))
  }
  return [...all.values()]
}

function merged(
  known: ResourceChange | undefined,
  drift: ResourceDrift,
  facts: { template: JsonObject; sensitive: ReadonlySet<string>; redaction: Redaction },
): ResourceChange {
  if (drift.deleted) {
    const attributes = Object.entries(drift.expected).map(([path, value]): AttributeChange => {
      const shown = facts.redaction.value(scalarText(value), isSensitive(path, drift, facts))
      return { path, after: shown.value, ...(shown.sensitive && { sensitive: true }) }
    })
    return {
      address: drift.address,
      type: drift.type,
      actions: ['create'],
      attributes,
      cause: 'drift',
      reason: 'deleted outside',
    }
  }
  const attributes = new Map((known?.attributes ?? []).map((attribute) => [attribute.path, attribute]))
  for (const { attribute: path, expected, actual } of drift.differences) {
    const hidden = isSensitive(path, drift, facts)
    const shown = (value: Json): { value: Json; sensitive: boolean } => facts.redaction.value(scalarText(value), hidden)
    const before = actual === undefined ? undefined : shown(actual)
    const after = expected === undefined ? undefined : shown(expected)
    const sensitive = before?.sensitive === true || after?.sensitive === true
    const own = attributes.get(path)
    attributes.set(path, {
      path,
      ...(before && { before: sensitive ? facts.redaction.value(scalarText(actual!), true).value : before.value }),
      ...(own
        ? pick(own)
        : after && { after: sensitive ? facts.redaction.value(scalarText(expected!), true).value : after.value }),
      ...(!own && !after && { after: null }),
      ...(sensitive && { sensitive }),
    })
  }
  return {
    ...(known ?? { address: drift.address, type: drift.type, actions: ['update'] }),
    attributes: [...attributes.values()],
    cause: 'drift',
    reason: [known?.reason, 'changed outside'].filter(Boolean).join('; '),
  }
}

/** Where the code changes the same property, its new value is where it is brought. */
const pick = ({ after, unknown, sensitive }: AttributeChange): Partial<AttributeChange> => ({
  ...(after !== undefined && { after }),
  ...(unknown && { unknown }),
  ...(sensitive && { sensitive }),
})

function isSensitive(
  path: string,
  drift: ResourceDrift,
  { template, sensitive }: { template: JsonObject; sensitive: ReadonlySet<string> },
): boolean {
  const definition = resourcesIn(template).find(([id]) => id === drift.address)?.[1]
  const mask = sensitiveMask(propertiesOf(definition), sensitive) as JsonObject
  const [name = ''] = path.split(/[.[]/)
  return hasTrue(mask[name])
}
