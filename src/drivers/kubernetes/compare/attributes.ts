import type { AttributeChange } from '../../../domain/plans/plan.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { attributeChanges } from '../../values/attributes.ts'
import type { Redaction } from '../../values/redaction.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'
import { isSecret } from '../source/normal.ts'
import { aligned } from './aligned.ts'
import type { Foreign } from './foreign.ts'
import { pathText } from '../objects/paths.ts'

/** Members of metadata that only the server writes. */
const SERVERS = [
  'creationTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
  'deletionTimestamp',
]
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** An object without its name, its status and what the server keeps for itself: what can be wanted of it. */
export function essence(object: KubeObject | null): JsonObject | null {
  if (object === null) return null
  const { apiVersion: _version, kind: _kind, status: _status, metadata, ...rest } = asJson(object)
  const { name: _name, namespace: _namespace, ...others } = metadata as JsonObject
  for (const member of SERVERS) delete others[member]
  return Object.keys(others).length === 0 ? rest : { ...rest, metadata: others }
}

/** The differences between two states of one object, as they may leave the worker. Null: not there. */
export function differences(
  before: KubeObject | null,
  after: KubeObject | null,
  redaction: Redaction,
): AttributeChange[] {
  const [old, now] = aligned(essence(before), essence(after))
  return attributeChanges(
    {
      before: old,
      after: now,
      beforeSensitive: sensitiveIn(before),
      afterSensitive: sensitiveIn(after),
    },
    redaction.value,
  )
}

/** What others have put into ours, as attributes that go away. */
export function foreignAttributes(
  object: KubeObject,
  foreign: readonly Foreign[],
  redaction: Redaction,
): AttributeChange[] {
  return foreign.map(({ steps, value }) => {
    const shown = redaction.value(value, isSecret(object))
    return { path: pathText(steps), before: shown.value, after: null, ...(shown.sensitive && { sensitive: true }) }
  })
}

/** Mask in the form of `attributeChanges`: a Secret's values, each for itself, and the copy that kubectl keeps of them. */
function sensitiveIn(object: KubeObject | null): Json {
  if (object === null || !isSecret(object)) return null
  const { data } = asJson(object)
  const keys = Object.keys(isObject(data) ? data : {})
  return {
    data: Object.fromEntries(keys.map((key) => [key, true])),
    metadata: { annotations: { [LAST_APPLIED]: true } },
  }
}
