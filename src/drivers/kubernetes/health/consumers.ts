import { type KubeObject, valueAt } from '../objects/object.ts'
import type { Session } from '../session.ts'

/** The scheduler writes it when a pod that uses the claim has got a node: from then on the volume is on its way. */
const SELECTED_NODE = 'volume.kubernetes.io/selected-node'

/**
 * Tells claims that nothing binds before a pod uses them (https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode):
 * to wait for these before the pods are made would be to wait for ever. Each class is read once.
 */
export function claimsWithoutConsumer(session: Session, signal: AbortSignal): (claim: KubeObject) => Promise<boolean> {
  const modes = new Map<string, Promise<boolean>>()
  const isLate = async (name: string): Promise<boolean> => {
    const path = `/apis/storage.k8s.io/v1/storageclasses/${encodeURIComponent(name)}`
    const { status, body } = await session.client.ask({ doing: `reading StorageClass/${name}`, path, signal })
    return status < 300 && valueAt(body, 'volumeBindingMode') === 'WaitForFirstConsumer'
  }
  return async (claim) => {
    if (claim.kind !== 'PersistentVolumeClaim' || valueAt(claim, 'status', 'phase') !== 'Pending') return false
    const name = valueAt(claim, 'spec', 'storageClassName')
    if (typeof name !== 'string' || name === '' || claim.metadata.annotations?.[SELECTED_NODE] !== undefined)
      return false
    const mode = modes.get(name) ?? isLate(name)
    modes.set(name, mode)
    return mode
  }
}
