import { type Json, type JsonObject, textsIn } from '../../../lib/json.ts'
import { isQuantity } from '../objects/quantity.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'

/**
 * An object as it is applied: without what only the server writes, and a Secret's `stringData` as the `data` that the
 * server makes of it, so that both are compared and owned as one.
 */
export function normalised(object: KubeObject): KubeObject {
  const known = normal.get(object)
  if (known) return known
  const made = normalise(object)
  normal.set(object, made)
  return made
}

/** Equal inputs give the same object: what is known of it (its text, its verdict) stays known. */
const normal = new WeakMap<KubeObject, KubeObject>()

function normalise(object: KubeObject): KubeObject {
  const { status: _status, ...rest } = asJson(object)
  const { creationTimestamp, resourceVersion, uid, generation, managedFields, selfLink, ...metadata } =
    rest.metadata as JsonObject
  void [creationTimestamp, resourceVersion, uid, generation, managedFields, selfLink]
  for (const member of ['labels', 'annotations', 'namespace']) {
    const value = metadata[member]
    if (value === null || value === '' || (isObject(value) && Object.keys(value).length === 0)) delete metadata[member]
  }
  const whole = { ...rest, metadata } as unknown as KubeObject
  if (isSecret(whole)) return withEncodedData(whole)
  return isAggregated(whole) ? withoutRules(whole) : withSpelling(whole)
}

/** The control plane fills the rules of these, and rules that are written are overwritten at once. */
const isAggregated = (object: KubeObject): boolean => object.kind === 'ClusterRole' && isObject(object.aggregationRule)

const withoutRules = ({ rules: _rules, ...rest }: KubeObject): KubeObject => rest as KubeObject

/** Kinds of Kubernetes itself whose ports are lists with `protocol` as a part of their key, or that hold quantities. */
const SPELT = new Set(
  'Service Pod Deployment StatefulSet DaemonSet ReplicaSet ReplicationController Job CronJob PersistentVolume PersistentVolumeClaim ResourceQuota LimitRange'.split(
    ' ',
  ),
)

/**
 * Two spellings that older servers refuse in an apply: a port without `protocol: TCP`, which is its default and a part of its
 * key (before 1.21, https://github.com/kubernetes-sigs/structured-merge-diff/issues/130), and `cpu: 1` as a number where
 * the schema says text.
 */
function withSpelling(object: KubeObject): KubeObject {
  if (!SPELT.has(object.kind)) return object
  const walk = (value: Json, member: string, parent: string): Json => {
    if (Array.isArray(value)) {
      return value.map((item) =>
        member === 'ports' && isObject(item) && item.protocol === undefined
          ? { ...item, protocol: 'TCP' }
          : walk(item, '', ''),
      )
    }
    if (typeof value === 'number') return isQuantity(parent, member) ? String(value) : value
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, walk(inner, name, member)]))
  }
  return { ...object, spec: walk(asJson(object).spec ?? null, 'spec', '') }
}

export const isSecret = ({ kind, apiVersion }: Pick<KubeObject, 'kind' | 'apiVersion'>): boolean =>
  kind === 'Secret' && apiVersion === 'v1'

function withEncodedData(secret: KubeObject): KubeObject {
  const { stringData, data, ...rest } = asJson(secret)
  const encoded = Object.entries(isObject(stringData) ? stringData : {}).map(([key, value]): [string, Json] => [
    key,
    // Anything else is the server's to refuse.
    typeof value === 'string' ? Buffer.from(value).toString('base64') : (value ?? ''),
  ])
  // Line breaks of folded base64 are nothing to the server, and would be a difference to us.
  const given = Object.entries(isObject(data) ? data : {}).map(([key, value]): [string, Json] => [
    key,
    typeof value === 'string' ? value.replaceAll(/\s/g, '') : (value ?? ''),
  ])
  const all = [...given, ...encoded]
  return { ...rest, ...(all.length > 0 && { data: Object.fromEntries(all) }) } as unknown as KubeObject
}

/** The values of a Secret, as they stand there and decoded; also those that the server will refuse and quote: numbers, lists. */
export function secretTexts(secret: KubeObject): string[] {
  const { data, stringData } = asJson(secret)
  const encoded = textsIn(data ?? null).flatMap((value) => [value, Buffer.from(value, 'base64').toString('utf8')])
  return [...encoded, ...textsIn(stringData ?? null)]
}
