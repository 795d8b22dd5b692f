import { programsOf } from '../../domain/runs/programs.ts'
import { keyIdOf } from '../../domain/wire/request-proof.ts'
import type { ChangeFeed, Store } from '../store.ts'
import { getWorker, type Scope, type Worker } from './workers.ts'

/** What is asked of a worker at each of its words, without what is large or changes with each of them. */
export interface KnownWorker extends Scope {
  id: string
  name: string
  pools: readonly string[]
  revokedAt: number | null
  draining: boolean
  clockSkewMs: number
  /** Names of the programs that it has found; undefined where it says nothing of them. */
  programs: readonly string[] | undefined
  /** Its keys; the one that counts first has no end. */
  keys: readonly { id: string; jwk: Worker['publicKey']; until: number | null }[]
}

/** Workers as this process remembers them: thousands that are connected say something all the time. */
export interface KnownWorkers {
  get(id: string): Promise<KnownWorker | undefined>
  /** Without reading: of one that was read and has not changed since. */
  now(id: string): KnownWorker | undefined
}

/** More than are ever connected to one server; the one that was read first goes first. */
const MOST = 50_000

const byFeed = new WeakMap<ChangeFeed, KnownWorkers>()

/**
 * The memory of a store's workers. Each is forgotten when it changes, which only this process does: a data directory and a
 * database have one server. A change is told after its commit, so nothing older than that is ever given.
 */
export function knownWorkers(store: Pick<Store, 'db' | 'changes'>): KnownWorkers {
  const there = byFeed.get(store.changes)
  if (there) return there
  const known = new Map<string, KnownWorker>()
  const reading = new Map<string, Promise<KnownWorker | undefined>>()
  store.changes.subscribe((changes) => {
    for (const { topic, id, seen } of changes) {
      if (topic !== 'worker' || seen) continue
      known.delete(id)
      // What is being read now may be from before.
      reading.delete(id)
    }
  })
  const read = (id: string): Promise<KnownWorker | undefined> => {
    const found: Promise<KnownWorker | undefined> = getWorker(store.db, id)
      .then((worker) => {
        const slim = worker && slimOf(worker)
        if (slim && reading.get(id) === found) known.set(id, slim)
        const [first] = known.keys()
        if (known.size > MOST && first !== undefined) known.delete(first)
        return slim
      })
      .finally(() => {
        if (reading.get(id) === found) reading.delete(id)
      })
    reading.set(id, found)
    return found
  }
  const workers: KnownWorkers = {
    now: (id) => known.get(id),
    get: async (id) => known.get(id) ?? (await (reading.get(id) ?? read(id))),
  }
  byFeed.set(store.changes, workers)
  return workers
}

function slimOf(worker: Worker): KnownWorker {
  const { id, name, pools, repositories, environments, revokedAt, info, publicKey, formerKey, formerKeyUntil } = worker
  const keys: KnownWorker['keys'][number][] = [{ id: keyIdOf(publicKey), jwk: publicKey, until: null }]
  if (formerKey) keys.push({ id: keyIdOf(formerKey), jwk: formerKey, until: formerKeyUntil ?? 0 })
  return {
    id,
    name,
    pools,
    repositories,
    environments,
    revokedAt,
    draining: info['draining'] === true,
    clockSkewMs: Number(info['clockSkewMs'] ?? 0),
    programs: programsOf(info),
    keys,
  }
}
