/** Changed entries over one base; beyond, they are copied into a new base. */
const MAX_CHANGED = 4_096
/** Of these the latest are copied for each map, so they are few. */
const MAX_RECENT = 256

interface Layers<K, V> {
  base: ReadonlyMap<K, V>
  /** Over the base; shared by many maps. */
  settled: ReadonlyMap<K, V>
  /** Over both; of one map alone. */
  recent: ReadonlyMap<K, V>
}

/** What each map below was made of; a map that was made otherwise is its own base. */
const layersOf = new WeakMap<object, Layers<unknown, unknown>>()

function layers<K, V>(map: ReadonlyMap<K, V>): Layers<K, V> {
  return (layersOf.get(map) as Layers<K, V> | undefined) ?? { base: map, settled: new Map(), recent: new Map() }
}

/**
 * A map with other values for some of its keys, made at the cost of the change and not of the map: a push to one of
 * 10,000 stacks must not copy 10,000 entries. Every key must be in the map already; the order stays.
 */
export function overlaid<K, V>(map: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  const { base, settled, recent } = layers(map)
  const latest = merged(recent, changes)
  if (latest.size <= MAX_RECENT) return view({ base, settled, recent: latest })
  const all = merged(settled, latest)
  if (all.size <= MAX_CHANGED) return view({ base, settled: all, recent: new Map() })
  return merged(base, all)
}

/** Keys whose values may differ between two maps of one base; null where the maps say nothing about each other. */
export function changedKeys<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>): Set<K> | null {
  const [first, second] = [layers(a), layers(b)]
  if (first.base !== second.base) return null
  const keys = new Set([...first.recent.keys(), ...second.recent.keys()])
  if (first.settled !== second.settled)
    for (const { settled } of [first, second]) for (const key of settled.keys()) keys.add(key)
  return keys
}

function merged<K, V>(under: ReadonlyMap<K, V>, over: ReadonlyMap<K, V>): Map<K, V> {
  const result = new Map(under)
  for (const [key, value] of over) result.set(key, value)
  return result
}

function view<K, V>(made: Layers<K, V>): ReadonlyMap<K, V> {
  const { base, settled, recent } = made
  const get = (key: K): V | undefined => recent.get(key) ?? settled.get(key) ?? base.get(key)
  function* entries(): MapIterator<[K, V]> {
    for (const key of base.keys()) yield [key, get(key)!]
  }
  function* values(): MapIterator<V> {
    for (const key of base.keys()) yield get(key)!
  }
  const result: ReadonlyMap<K, V> = {
    size: base.size,
    get,
    has: (key) => base.has(key),
    keys: () => base.keys(),
    values,
    entries,
    forEach(visit) {
      for (const key of base.keys()) visit(get(key)!, key, result)
    },
    [Symbol.iterator]: entries,
  }
  layersOf.set(result, made)
  return result
}
