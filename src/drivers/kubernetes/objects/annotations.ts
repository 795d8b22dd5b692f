import type { KubeObject } from './object.ts'
import { HOLDS_OTHERS } from './order.ts'

/** Which stack an object belongs to: `repository/environment/name`. Written by Trueup on everything it applies. */
export const OWNER = 'trueup.dev/stack'
/** `keep`: never deleted. `confirm`: deleted only after a person has said so. */
export const PRUNE = 'trueup.dev/prune'
/** A person's yes, put on the live object: `kubectl annotate … trueup.dev/prune-confirmed=yes`. */
export const PRUNE_CONFIRMED = 'trueup.dev/prune-confirmed'
/** `true`: the object may be deleted and created again when a field cannot be changed in place. */
export const REPLACE = 'trueup.dev/replace'
/** A whole number; lower ones are applied, and healthy, first. */
export const WAVE = 'trueup.dev/wave'
/** `before` or `after`: run with every change of the stack, not kept in sync. */
export const HOOK = 'trueup.dev/hook'
/** `before`, `succeeded`, `failed`, separated by commas: when a hook's last object is deleted. */
export const HOOK_DELETE = 'trueup.dev/hook-delete'

const annotation = (object: KubeObject, name: string): string | undefined => object.metadata.annotations?.[name]

/** `keep` and `confirm` as this project, Helm, Argo CD and Flux spell them. */
export function prunePolicy(object: KubeObject): 'delete' | 'keep' | 'confirm' {
  const own = annotation(object, PRUNE)?.trim().toLowerCase()
  if (own === 'keep' || own === 'confirm') return own
  // https://helm.sh/docs/howto/charts_tips_and_tricks/#tell-helm-not-to-uninstall-a-resource
  if (annotation(object, 'helm.sh/resource-policy') === 'keep') return 'keep'
  // https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/
  const argo = annotation(object, 'argocd.argoproj.io/sync-options')?.split(/\s*,\s*/) ?? []
  if (argo.includes('Prune=false') || argo.includes('Delete=false')) return 'keep'
  if (argo.includes('Prune=confirm') || argo.includes('Delete=confirm')) return 'confirm'
  // https://fluxcd.io/flux/components/kustomize/kustomizations/#prune
  return annotation(object, 'kustomize.toolkit.fluxcd.io/prune') === 'disabled' ? 'keep' : 'delete'
}

export const isPruneConfirmed = (object: KubeObject): boolean =>
  ['yes', 'true'].includes(annotation(object, PRUNE_CONFIRMED)?.toLowerCase() ?? '')

/**
 * Whether the object may be deleted and created again. Argo CD's `Replace=true` alone is a `kubectl replace`, which deletes
 * nothing; and what others have written is no consent to delete data or other objects with it.
 */
export function mayBeReplaced(object: KubeObject): boolean {
  if (annotation(object, REPLACE) === 'true') return true
  if (HOLDS_OTHERS.has(object.kind)) return false
  const argo = annotation(object, 'argocd.argoproj.io/sync-options')?.split(/\s*,\s*/) ?? []
  const isForced = argo.includes('Replace=true') && argo.includes('Force=true')
  return isForced || annotation(object, 'kustomize.toolkit.fluxcd.io/force') === 'enabled'
}

/** 0 where nothing is said, or nothing that can be read. */
export function waveOf(object: KubeObject): number {
  const text = annotation(object, WAVE) ?? annotation(object, 'argocd.argoproj.io/sync-wave')
  const wave = Number(text)
  return text !== undefined && Number.isSafeInteger(wave) ? wave : 0
}
