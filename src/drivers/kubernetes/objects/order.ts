import type { KubeObject } from './object.ts'

/** Kinds that others cannot exist without, and those that others had better not meet half-ready. */
const FIRST = new Set(['Namespace', 'CustomResourceDefinition'])
const EARLY = new Set([
  'PriorityClass',
  'StorageClass',
  'ResourceQuota',
  'LimitRange',
  'ServiceAccount',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'Secret',
  'ConfigMap',
  'PersistentVolume',
  'PersistentVolumeClaim',
])
const LATE = new Set(['APIService', 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'])

/** Place within a wave: 0 namespaces and definitions, 1 what workloads use, 2 the rest, 3 what intercepts others. */
export function rankOf({ kind }: Pick<KubeObject, 'kind'>): 0 | 1 | 2 | 3 {
  if (FIRST.has(kind)) return 0
  if (EARLY.has(kind)) return 1
  return LATE.has(kind) ? 3 : 2
}

/** Deleting one of these deletes more than the object: what lives in it, or data. */
export const HOLDS_OTHERS: ReadonlySet<string> = new Set([
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolume',
  'PersistentVolumeClaim',
])
