import type { Client } from '../cluster/client.ts'
import { pathOf } from '../cluster/discovery.ts'
import { without } from '../compare/adopted.ts'
import { FIELD_MANAGER, type Fields, ourFields } from '../compare/fields.ts'
import { overlaid } from '../compare/overlay.ts'
import { asJson, equalJson, isObject, type KubeObject } from '../objects/object.ts'
import type { Applied } from './dry-run.ts'

export interface Adoption {
  live: KubeObject
  /** What is to go. */
  unwanted: Fields
}

/**
 * What applying gives after the fields of those who declared the object before were taken over. The server cannot be asked
 * about the two at once, so it is asked about their result, computed here; it fills in defaults and judges it. Null where it
 * does not take that: then nothing is taken over.
 */
export async function predictAdoption(
  client: Client,
  wanted: Applied,
  { live, unwanted }: Adoption,
  signal: AbortSignal,
): Promise<KubeObject | null> {
  const { ref, address, resource, object } = wanted
  const patch = patchTo(live, overlaid(object, without(live, unwanted), ourFields(live)))
  if (patch.length === 0) return live
  const { status, body } = await client.ask<KubeObject>({
    doing: `checking ${address}`,
    method: 'PATCH',
    path: `${pathOf(resource, ref.namespace, ref.name)}?fieldManager=${FIELD_MANAGER}&dryRun=All`,
    contentType: 'application/json-patch+json',
    body: JSON.stringify(patch),
    signal,
  })
  return status < 300 ? (body as KubeObject) : null
}

function patchTo(live: KubeObject, result: KubeObject): object[] {
  const parts = (object: KubeObject): Map<string, unknown> => {
    const { apiVersion: _version, kind: _kind, status: _status, metadata, ...rest } = asJson(object)
    const { labels, annotations } = isObject(metadata) ? metadata : {}
    const all = Object.entries(rest).map(([name, value]) => [`/${name}`, value] as const)
    return new Map<string, unknown>([...all, ['/metadata/labels', labels], ['/metadata/annotations', annotations]])
  }
  const [before, after] = [parts(live), parts(result)]
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)] as Parameters<typeof equalJson>
    if (equalJson(old, now)) return []
    return [now === undefined ? { op: 'remove', path } : { op: 'add', path, value: now }]
  })
}
