import type { KubeObject } from './object.ts'

/** Why an object that was deleted is still there: who has not yet taken its finalizer off. */
export function beingDeleted({ metadata }: KubeObject): string {
  const finalizers = Array.isArray(metadata.finalizers) ? metadata.finalizers.map(String) : []
  const held = finalizers.length === 0 ? '' : `, held by its finalizers ${finalizers.join(', ')}`
  return `it is being deleted since ${metadata.deletionTimestamp ?? 'now'}${held}`
}
