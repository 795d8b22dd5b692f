import type { Client } from '../cluster/client.ts'
import { pathOf, type Resource } from '../cluster/discovery.ts'
import {
  failureOf,
  isImmutable,
  isMalformed,
  isWebhookAway,
  isWithoutRight,
  refusesDryRun,
  type Status,
} from '../cluster/failures.ts'
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
  if (isWithoutRight(refused))
    return { kind: 'unknown', why: `a dry run is not allowed: ${refused.message ?? 'forbidden'}` }
  // A quota or limit, which this very change may raise.
  if (status === 403) return { kind: 'unknown', why: `as it is now, the cluster refuses it: ${refused.message ?? ''}` }
  if (refusesDryRun(refused) || isWebhookAway(refused))
    return { kind: 'unknown', why: refused.message ?? 'a webhook refuses dry runs' }
  if (isImmutable(refused)) return { kind: 'immutable', why: refused.message ?? 'a field cannot be changed' }
  if (status === 404 && /namespaces? "/.test(refused.message ?? '')) return { kind: 'no-namespace' }
  throw failureOf(call.doing, status, refused)
}

/** Every cluster has it. */
const ANY_NAMESPACE = 'default'

/**
 * Whether the server would take an object whose namespace is not there yet: asked about in another one. SOURCE_INVALID for
 * what is wrong with the object itself. Quotas, policies, accounts and rights are those of the other namespace and say
 * nothing, and neither does a twin of the object that lives there.
 */
export async function checkForm(client: Client, wanted: Applied, signal: AbortSignal): Promise<void> {
  const { object, ref } = wanted
  const moved: Applied = {
    ...wanted,
    ref: { ...ref, namespace: ANY_NAMESPACE },
    object: { ...object, metadata: { ...object.metadata, namespace: ANY_NAMESPACE } },
  }
  const { doing, path, ...call } = applyCall(moved, { dryRun: true, force: true, signal })
  const { status, body } = await client.ask<KubeObject>({ ...call, path, doing })
  if (status < 300 || !isMalformed(body as Status)) return
  const [place] = path.split('?')
  const twin = await client.ask<KubeObject>({ doing, path: place ?? path, signal })
  if (twin.status === 404) throw failureOf(doing, status, body as Status)
}
