import type { Finding } from '../../../domain/plans/plan.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext, Watch } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { pathOf, type Resource } from '../cluster/discovery.ts'
import { inventoryPlace, readInventory } from '../plan/inventory.ts'
import { addressOf, keyOf, type KubeObject, refOf } from '../objects/object.ts'
import { inParallel } from '../cluster/parallel.ts'
import { openSession, type Session } from '../session.ts'
import { renderFor } from '../plan/render-for.ts'
import { resolveWanted } from '../plan/wanted.ts'
import { type Collection, follow } from './collection.ts'
import { keepCache, LiveCache } from '../plan/live-cache.ts'

/** From this many namespaces of one kind on, one watch over all of them is cheaper, where it is allowed. */
const NAMESPACES_EACH = 8

interface Followed {
  key: string
  address: string
  resource: Resource
  namespace: string
}

/**
 * Follows every kind of the stack in every namespace that it uses, and reports the addresses of objects of which more than
 * the status has changed. Its own writes are reported too; the check that follows sees nothing to do.
 */
export async function watch(
  context: DriverContext<KubernetesConfig>,
  onEvent: (addresses: string[]) => void,
): Promise<Watch> {
  const session = await openSession(context)
  const followed = await followedObjects(context, session)
  const addresses = new Map(followed.map(({ key, address }) => [key, address]))
  const cache = new LiveCache(new Set(addresses.keys()))
  const findings: Finding[] = []
  const end = new AbortController()
  const signal = AbortSignal.any([end.signal, context.signal])
  const release = keepCache(session, cache)
  const start = async (collection: Collection): Promise<void> => {
    const name = pathOf(collection.resource, collection.namespace)
    cache.deafen(name)
    let isFirst = true
    await follow(
      session.client,
      collection,
      {
        onList: (objects) => {
          const changed = takeList(collection, objects, { cache, followed })
          cache.hear(name)
          if (!isFirst && changed.length > 0) onEvent(changed)
          isFirst = false
        },
        onChange: (key, object) => {
          if (cache.put(key, object)) onEvent([addresses.get(key) ?? addressOf(refOf(object as KubeObject))])
        },
        onGap: (why) => {
          cache.deafen(name)
          context.log(`the watch of ${name} is interrupted: ${why}`)
        },
        onResume: () => cache.hear(name),
      },
      signal,
    )
  }
  try {
    await inParallel(collectionsOf(followed), context.config.concurrency, async (collection) => {
      await start(collection).catch(async (thrown: unknown) => {
        if (!(thrown instanceof TrueupError) || thrown.code !== 'TARGET_DENIED') throw thrown
        await startDenied(collection, thrown)
      })
    })
  } catch (thrown) {
    end.abort()
    release()
    throw thrown
  }

  /** Not over all namespaces: in each. Not at all: said, and left to the regular checks. */
  async function startDenied(collection: Collection, denied: TrueupError): Promise<void> {
    cache.hear(pathOf(collection.resource, collection.namespace))
    const narrow =
      collection.namespace === '' && collection.resource.namespaced ? namespacesOf(followed, collection.resource) : []
    for (const namespace of narrow) {
      await start({ ...collection, namespace }).catch((thrown: unknown) => {
        if (!(thrown instanceof TrueupError) || thrown.code !== 'TARGET_DENIED') throw thrown
        denied = thrown
        narrow.length = 0
      })
    }
    if (narrow.length > 0) return
    cache.deafen(`denied ${collection.resource.plural}`)
    const message = `${collection.resource.plural} are not watched, only checked from time to time: ${denied.text.why}`
    findings.push({ severity: 'warning', code: 'not_watched', message })
  }

  return {
    findings,
    close: () => {
      end.abort()
      release()
      return Promise.resolve()
    },
  }
}

/** What is rendered, and what the inventory still has: both may be changed by others. */
async function followedObjects(context: DriverContext<KubernetesConfig>, session: Session): Promise<Followed[]> {
  const { wanted } = await resolveWanted(context, session, await renderFor(context, session))
  const all = wanted
    .filter(({ hook, pending }) => hook === null && !pending)
    .map(({ key, address, resource, ref }) => ({ key, address, resource, namespace: ref.namespace }))
  const known = new Set(all.map(({ key }) => key))
  const inventory = await readInventory(session, inventoryPlace(context, session), context.signal)
  for (const { ref } of inventory.objects.values()) {
    const key = keyOf(ref)
    const resource = known.has(key) ? null : await session.discovery.inAnyVersion(ref.group, ref.kind)
    if (resource) all.push({ key, address: addressOf(ref), resource, namespace: ref.namespace })
  }
  return all
}

function collectionsOf(followed: readonly Followed[]): Collection[] {
  const kinds = Map.groupBy(followed, ({ resource }) => pathOf(resource, ''))
  return [...kinds.values()].flatMap((same) => {
    const { resource } = same[0] as Followed
    const namespaces = [...new Set(same.map(({ namespace }) => namespace))]
    if (namespaces.length >= NAMESPACES_EACH) return [{ resource, namespace: '' }]
    return namespaces.map((namespace) => ({ resource, namespace }))
  })
}

const namespacesOf = (followed: readonly Followed[], resource: Resource): string[] => [
  ...new Set(
    followed.filter((one) => pathOf(one.resource, '') === pathOf(resource, '')).map(({ namespace }) => namespace),
  ),
]

interface Taken {
  cache: LiveCache
  followed: readonly Followed[]
}

/** Addresses that changed while nobody listened; what is not in the list any more is gone. */
function takeList(collection: Collection, objects: readonly KubeObject[], { cache, followed }: Taken): string[] {
  const there = new Map(objects.map((object) => [keyOf(refOf(object)), object]))
  const path = pathOf(collection.resource, '')
  return followed
    .filter(
      ({ resource, namespace }) =>
        pathOf(resource, '') === path && (collection.namespace === '' || namespace === collection.namespace),
    )
    .filter(({ key }) => cache.put(key, there.get(key) ?? null))
    .map(({ address }) => address)
}
