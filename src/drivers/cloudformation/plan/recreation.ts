import { asText } from '../template/text.ts'
import type { Stack } from '@aws-sdk/client-cloudformation'
import type { ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { attributeChanges } from '../../values/attributes.ts'
import { knownOf, propertiesOf, resourcesIn, sensitiveMask } from '../source/expressions.ts'
import { STACK_TYPE, stackAddress } from '../names.ts'
import { scalarText } from './contexts.ts'
import type { Made } from './make-changes.ts'
import type { Planning } from './planning.ts'

/**
 * The plan for a stack whose creation did not work: AWS takes no change set for it, it has to be deleted and made anew.
 * What would be created is read from the template itself; conditions are not decided.
 */
export function recreation({ source, redaction, cloud }: Planning, stack: Stack): Made {
  const { values, sensitive } = source.parameters
  const created = resourcesIn(source.template.value).map(([address, resource]): ResourceChange => {
    const properties = propertiesOf(resource)
    const known = knownOf(properties, values)
    const mask = sensitiveMask(properties, sensitive) as JsonObject
    const attributes = attributeChanges(
      { before: {}, after: scalarText(known.value) as Json, unknown: known.mask, afterSensitive: mask },
      redaction.value,
    )
    return { address, type: asText(resource['Type'] ?? ''), actions: ['create'], attributes, cause: 'config' }
  })
  return {
    changes: [
      {
        address: stackAddress(cloud.stackName),
        type: STACK_TYPE,
        actions: ['replace'],
        attributes: [],
        cause: 'config',
        reason: `it is ${stack.StackStatus}: it is deleted and created anew`,
      },
      ...created,
    ],
    findings: [],
    record: { kind: 'recreate', unhealable: [] },
  }
}
