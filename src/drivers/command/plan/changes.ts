import type { DriverPlan, ResourceChange } from '../../../domain/plans/plan.ts'
import { type Json, textsIn } from '../../../lib/json.ts'
import type { DriverContext } from '../../driver.ts'
import type { ChangeMessage } from '../tool/wire.ts'

/** A change as it may leave the worker: what is sensitive is masked in logs and replaced by its keyed hash. */
export function toChange(message: ChangeMessage, context: DriverContext<unknown>): ResourceChange {
  const { resource, attributes, cause, ...rest } = message
  const hidden = (value: Json) => {
    for (const text of textsIn(value)) context.mask(text)
    return context.hash(value)
  }
  return {
    ...rest,
    type: resource,
    cause: cause ?? (context.kind === 'drift' ? 'drift' : 'config'),
    attributes: attributes.map(({ before, after, ...attribute }) => ({
      ...attribute,
      ...(before !== undefined && { before: attribute.sensitive ? hidden(before) : before }),
      ...(after !== undefined && { after: attribute.sensitive ? hidden(after) : after }),
    })),
  }
}

/** A plan with nothing in it, to be filled. */
export const emptyPlan = (): DriverPlan => ({
  changes: [],
  coverage: { checked: 0, unchecked: [] },
  outputs: {},
  findings: [],
  toolVersions: {},
})

/** The address that stands twice, or undefined: results are told apart by address. */
export function repeatedAddress(changes: readonly { address: string }[]): string | undefined {
  const seen = new Set<string>()
  return changes.find(({ address }) => seen.size === seen.add(address).size)?.address
}
