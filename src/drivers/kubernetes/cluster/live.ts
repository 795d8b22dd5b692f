import { TrueupError } from '../../../lib/errors/error.ts'
import { type Client } from './client.ts'
import { pathOf, type Resource } from './discovery.ts'
import { keyOf, type KubeObject, type ObjectRef, refOf } from '../objects/object.ts'
import { inParallel } from './parallel.ts'

/** One object to read. */
export interface Target {
  key: string
  address: string
  ref: ObjectRef
  resource: Resource
}

/** From this many objects of one kind and namespace on, they are listed. */
const LIST_FROM = 4
const PAGE = 500

interface List {
  items: KubeObject[]
  metadata?: { continue?: string; resourceVersion?: string }
}

/** How to read: requests at once, and the end of the run. */
export interface Reading {
  concurrency: number
  signal: AbortSignal
}

/** The live objects by key; what is not there is missing in it. */
export async function readLive(
  client: Client,
  targets: readonly Target[],
  reading: Reading,
): Promise<Map<string, KubeObject>> {
  const groups = Map.groupBy(targets, ({ resource, ref }) => `${pathOf(resource, ref.namespace)}`)
  const live = new Map<string, KubeObject>()
  const single: Target[] = []
  const listed: Target[][] = []
  for (const group of groups.values()) {
    if (group.length >= LIST_FROM) listed.push(group)
    else single.push(...group)
  }
  await inParallel(listed, reading.concurrency, async (group) => {
    const objects = await listOrNull(client, group[0] as Target, reading.signal)
    if (objects === null) single.push(...group)
    else {
      const keys = new Set(group.map(({ key }) => key))
      for (const object of objects) {
        const key = keyOf(refOf(object))
        if (keys.has(key)) live.set(key, object)
      }
    }
  })
  await inParallel(single, reading.concurrency, async (target) => {
    const object = await readOne(client, target, reading.signal)
    if (object !== null) live.set(target.key, object)
  })
  return live
}

export function readOne(client: Client, target: Target, signal?: AbortSignal): Promise<KubeObject | null> {
  const { ref, resource, address } = target
  const path = pathOf(resource, ref.namespace, ref.name)
  return client.find<KubeObject>({ doing: `reading ${address}`, path, ...(signal && { signal }) })
}

/** All objects of a kind in a namespace, or null where listing is not allowed: reading each may be. */
async function listOrNull(
  client: Client,
  { resource, ref }: Target,
  signal: AbortSignal,
): Promise<KubeObject[] | null> {
  try {
    return (await listAll(client, resource, ref.namespace, signal)).objects
  } catch (thrown) {
    if (thrown instanceof TrueupError && thrown.code === 'TARGET_DENIED') return null
    throw thrown
  }
}

/** A whole collection, page by page. The version is where a watch goes on. */
export async function listAll(
  client: Client,
  resource: Resource,
  namespace: string,
  signal?: AbortSignal,
): Promise<{ objects: KubeObject[]; version: string }> {
  const objects: KubeObject[] = []
  const base = `${pathOf(resource, namespace)}?limit=${PAGE}`
  const doing = `listing ${resource.plural}${namespace === '' ? '' : ` of namespace ${namespace}`}`
  let next: string | undefined
  let version = ''
  do {
    const path: string = next === undefined ? base : `${base}&continue=${encodeURIComponent(next)}`
    const list = await client.must<List>({ doing, path, ...(signal && { signal }) })
    // Items of lists do not say what they are.
    for (const item of list.items) {
      item.apiVersion ??= resource.apiVersion
      item.kind ??= resource.kind
      objects.push(item)
    }
    next = list.metadata?.continue || undefined
    version = list.metadata?.resourceVersion ?? version
  } while (next !== undefined)
  return { objects, version }
}
