import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'
import type { Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { failureOf, type Status } from '../cluster/failures.ts'
import { FIELD_MANAGER } from '../compare/fields.ts'
import type { KubernetesConfig } from '../config.ts'
import { keyOf, type KubeObject, type ObjectRef } from '../objects/object.ts'
import type { Session } from '../session.ts'

/** What this stack has made, kept in the cluster itself: pruning and destroying go by it and by nothing else. */
export interface Inventory {
  /** It has been written before. */
  exists: boolean
  objects: Map<string, InventoryEntry>
  hooks: Map<string, InventoryEntry>
  /** Keys of objects that were there before the stack: a rollback lets go of them. */
  adopted: ReadonlySet<string>
  /** Keyed hash of all that was wanted when an apply last got to its end; hooks run when it changes. */
  desired: string
  /** What had rendered it then; empty for plain YAML, and where older versions have written it. */
  renderer: string
  /** Where it was found, when that is not where it belongs: the stack's namespace has changed. */
  elsewhere: InventoryPlace | null
  findings: Finding[]
}

/** What is written of it. */
type Written = Omit<Inventory, 'elsewhere' | 'findings'>

const NOTHING: Inventory = {
  exists: false,
  objects: new Map(),
  hooks: new Map(),
  adopted: new Set(),
  desired: '',
  renderer: '',
  elsewhere: null,
  findings: [],
}

export interface InventoryEntry {
  ref: ObjectRef
  /** Keyed hash of the object as it was applied: tells a change of the code from one of the cluster. */
  hash: string
}

const Entry = z.tuple([z.string(), z.string(), z.string(), z.string(), z.string()])
const Content = z.object({
  objects: z.array(Entry),
  hooks: z.array(Entry),
  /** Absent where older versions have written it, which took everything for their own. */
  adopted: z.array(z.string()).default([]),
  desired: z.string(),
  renderer: z.string().default(''),
})

/** etcd takes 1.5 MiB, the API 1 MiB of data; 10,000 objects are about 1.2 MB as text and 0.3 MB packed. */
const PLAIN_LIMIT = 500_000
const PACKED_LIMIT = 900_000

export interface InventoryPlace {
  namespace: string
  name: string
}

export function inventoryPlace(context: DriverContext<KubernetesConfig>, session: Session): InventoryPlace {
  const id = createHash('sha256').update(session.owner).digest('hex').slice(0, 12)
  return { namespace: context.config.inventoryNamespace ?? session.namespace, name: `trueup-${id}` }
}

const pathTo = ({ namespace, name }: InventoryPlace): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${name}`

/**
 * The inventory at its place, else in another namespace, where a stack whose `namespace` has changed has left it.
 * TARGET_UNSAFE for one that cannot be read.
 */
export async function readInventory(session: Session, place: InventoryPlace, signal: AbortSignal): Promise<Inventory> {
  const doing = `reading the inventory ConfigMap/${place.namespace}/${place.name}`
  const map = await session.client.find<KubeObject>({ doing, path: pathTo(place), signal })
  if (map !== null) return inventoryIn(map, doing)
  const path = `/api/v1/configmaps?fieldSelector=${encodeURIComponent(`metadata.name=${place.name}`)}`
  const { status, body } = await session.client.ask<{ items: KubeObject[] }>({ doing, path, signal })
  if (status === 403) {
    const message = `whether the stack had another namespace before is not known: ConfigMaps of all namespaces cannot be listed; what it made there would stay`
    return { ...NOTHING, findings: [{ severity: 'info', code: 'inventory_not_searched', message }] }
  }
  if (status >= 300) throw failureOf(doing, status, body as Status)
  const mine = (body as { items: KubeObject[] }).items.find(
    ({ metadata }) => metadata.annotations?.[INVENTORY_OF] === session.owner,
  )
  if (!mine) return NOTHING
  const namespace = mine.metadata.namespace ?? ''
  return { ...inventoryIn(mine, doing), elsewhere: { namespace, name: place.name } }
}

const INVENTORY_OF = 'trueup.dev/inventory-of'

function inventoryIn(map: KubeObject, doing: string): Inventory {
  const text = textOf(map)
  const content = text === null ? null : Content.safeParse(parseQuietly(text))
  if (!content?.success) {
    throw new TrueupError('TARGET_UNSAFE', {
      doing,
      why: 'its content is damaged',
      next: 'Restore it from a backup, or delete it: Trueup then prunes only what it applies from now on.',
    })
  }
  const { objects, hooks, adopted, ...rest } = content.data
  const lists = { objects: entries(objects), hooks: entries(hooks), adopted: new Set(adopted) }
  return { ...NOTHING, exists: true, ...lists, ...rest }
}

/** Writes the inventory; it is small, and wrong ones are dangerous, so it is always written whole. */
export async function writeInventory(session: Session, place: InventoryPlace, inventory: Written): Promise<void> {
  const doing = `writing the inventory ConfigMap/${place.namespace}/${place.name}`
  const { objects, hooks, adopted, desired, renderer } = inventory
  const lists = { objects: rows(objects), hooks: rows(hooks), adopted: [...adopted].toSorted() }
  const text = JSON.stringify({ desired, renderer, ...lists })
  const packed = text.length > PLAIN_LIMIT ? gzipSync(text).toString('base64') : null
  if (packed !== null && packed.length > PACKED_LIMIT) {
    throw new TrueupError('TOO_LARGE', { doing, why: `${objects.size} objects do not fit`, next: 'Split the stack.' })
  }
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: place.name,
      namespace: place.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'trueup' },
      annotations: { [INVENTORY_OF]: session.owner },
    },
    ...(packed === null ? { data: { inventory: text } } : { binaryData: { 'inventory.gz': packed } }),
  }
  await session.client.must({
    doing,
    method: 'PATCH',
    path: `${pathTo(place)}?fieldManager=${FIELD_MANAGER}&force=true`,
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(body),
  })
}

export async function deleteInventory(session: Session, place: InventoryPlace): Promise<void> {
  const doing = `deleting the inventory ConfigMap/${place.namespace}/${place.name}`
  await session.client.find({ doing, method: 'DELETE', path: pathTo(place) })
}

type Keys = ReadonlyMap<string, unknown> | ReadonlySet<string>

/** The same objects, with the same hashes. */
export const sameEntries = (
  a: ReadonlyMap<string, { hash: string }>,
  b: ReadonlyMap<string, { hash: string }>,
): boolean => a.size === b.size && [...a].every(([key, { hash }]) => b.get(key)?.hash === hash)

export const sameKeys = (a: Keys, b: Keys): boolean => a.size === b.size && [...a.keys()].every((key) => b.has(key))

function textOf(map: KubeObject): string | null {
  const { data, binaryData } = map as { data?: { inventory?: string }; binaryData?: { [name: string]: string } }
  if (data?.inventory !== undefined) return data.inventory
  const packed = binaryData?.['inventory.gz']
  try {
    return packed === undefined ? null : gunzipSync(Buffer.from(packed, 'base64')).toString('utf8')
  } catch {
    return null
  }
}

const entries = (list: z.infer<typeof Entry>[]): Map<string, InventoryEntry> =>
  new Map(
    list.map(([group, kind, namespace, name, hash]) => {
      const ref = { group, kind, namespace, name }
      return [keyOf(ref), { ref, hash }]
    }),
  )

const rows = (all: ReadonlyMap<string, InventoryEntry>): z.infer<typeof Entry>[] =>
  [...all.values()]
    .map(({ ref, hash }): z.infer<typeof Entry> => [ref.group, ref.kind, ref.namespace, ref.name, hash])
    .toSorted((a, b) => (a.join('\0') < b.join('\0') ? -1 : 1))

function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
