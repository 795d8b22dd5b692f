import type { Client } from '../cluster/client.ts'
import { pathOf, type Resource } from '../cluster/discovery.ts'
import { failureOf, isImmutable, refusesDryRun, type Status } from '../cluster/failures.ts'
import { FIELD_MANAGER } from '../compare/fields.ts'
import type { KubeObject, ObjectRef } from '../objects/object.ts'

/** What the server says of an apply that it does not do. */
export type Prediction =
  | { kind: 'object'; object: KubeObject }
  /** It cannot be asked; why. */
  | { kind: 'unknown'; why: string }
  | { kind: 'immutable'; why: string }
  | { kind: 'no-namespace' }

export interface Applied {
  ref: ObjectRef
  address: string
  resource: Resource
  object: KubeObject
}

export interface ApplyOptions {
  dryRun?: boolean
  /** False: a field that another manager has set to something else ends it with 409. */
  force: boolean
  signal?: AbortSignal
}

/** One server-side apply. JSON is YAML, so it goes as it is. */
export function applyCall({ ref, address, resource, object }: Applied, { dryRun, force, signal }: ApplyOptions) {
  const query = `fieldManager=${FIELD_MANAGER}&force=${force}${dryRun ? '&dryRun=All' : ''}`
  return {
    doing: `${dryRun ? 'checking' : 'applying'} ${address}`,
    method: 'PATCH' as const,
    path: `${pathOf(resource, ref.namespace, ref.name)}?${query}`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(object),
    ...(signal && { signal }),
  }
}

/**
 * Asks what applying would give. TARGET_DENIED where we may not even read what we asked about; SOURCE_INVALID for what the
 * server would refuse.
 */
export async function predict(client: Client, wanted: Applied, signal: AbortSignal): Promise<Prediction> {
  const call = applyCall(wanted, { dryRun: true, force: true, signal })
  const { status, body } = await client.ask<KubeObject>(call)
  if (status < 300) return { kind: 'object', object: body as KubeObject }
  const refused = body as Status
  if (status === 403) return { kind: 'unknown', why: `a dry run is not allowed: ${refused.message ?? 'forbidden'}` }
  if (refusesDryRun(refused)) return { kind: 'unknown', why: refused.message ?? 'a webhook refuses dry runs' }
  if (isImmutable(refused)) return { kind: 'immutable', why: refused.message ?? 'a field cannot be changed' }
  if (status === 404 && /namespaces? "/.test(refused.message ?? '')) return { kind: 'no-namespace' }
  throw failureOf(call.doing, status, refused)
}
