import type { Json, JsonObject } from '../../../lib/json.ts'

/** An object as the API server speaks of it. Beside what is named here it has `spec`, `data` and whatever its kind has. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: Metadata
  [member: string]: unknown
}

export interface Metadata {
  name: string
  namespace?: string
  labels?: { [name: string]: string }
  annotations?: { [name: string]: string }
  resourceVersion?: string
  uid?: string
  generation?: number
  deletionTimestamp?: string
  managedFields?: ManagedFieldsEntry[]
  [member: string]: unknown
}

/** Who set which fields, see https://kubernetes.io/docs/reference/using-api/server-side-apply/. */
export interface ManagedFieldsEntry {
  manager?: string
  operation?: string
  apiVersion?: string
  subresource?: string
  time?: string
  fieldsV1?: JsonObject
}

/** Which object is meant; what an inventory remembers. `group` is empty for the core group. */
export interface ObjectRef {
  group: string
  kind: string
  /** Empty for objects of the cluster. */
  namespace: string
  name: string
}

/** Seen as JSON, for walkers that know nothing of kinds. */
export const asJson = (object: KubeObject): JsonObject => object as unknown as JsonObject

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}

export const refOf = ({ apiVersion, kind, metadata }: KubeObject): ObjectRef => ({
  group: groupOf(apiVersion),
  kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name,
})

/** One text per object, for maps. */
export const keyOf = ({ group, kind, namespace, name }: ObjectRef): string => `${group}/${kind}/${namespace}/${name}`

/** Groups that Kubernetes itself serves: their kinds are known by name alone. */
const isBuiltIn = (group: string): boolean => !group.includes('.') || group.endsWith('.k8s.io')

/**
 * The address in plans and ignore rules: `Deployment/shop/web`, `Namespace/shop`, and with the group where Kubernetes is
 * not the one who defined the kind: `Certificate.cert-manager.io/shop/web`.
 */
export function addressOf({ group, kind, namespace, name }: ObjectRef): string {
  const type = typeOf({ group, kind })
  return namespace === '' ? `${type}/${name}` : `${type}/${namespace}/${name}`
}

/** `Deployment`, `Certificate.cert-manager.io`. */
export const typeOf = ({ group, kind }: Pick<ObjectRef, 'group' | 'kind'>): string =>
  isBuiltIn(group) ? kind : `${kind}.${group}`

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value at a path of plain member names, or undefined. */
export function valueAt(object: unknown, ...path: string[]): unknown {
  let value: unknown = object
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name]
  }
  return value
}

/** Equality of JSON values; unlike in plans, null and absent are two things here. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equalJson(item, b[index]))
  }
  if (Array.isArray(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]))
  )
}
