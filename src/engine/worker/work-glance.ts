import { leaseHolders } from '../../store/runs/lease.ts'
import { readyPools } from '../../store/runs/search.ts'
import type { EngineParts } from '../parts.ts'

/** Old news even where nobody told of any: what a change that was not told has done is seen after this long. */
const OLD_MS = 1_000

/** What all who ask for work have in common. */
interface Glance {
  at: number
  /** Pools in which a run is ready. */
  pools: ReadonlySet<string>
  /** Workers that hold one: of these a question may be a repeat. */
  holders: ReadonlySet<string>
}

/** Tells whether a question for work can be answered with anything but no, for thousands of workers that ask in vain. */
export interface WorkGlance {
  mayHave(workerId: string, pools: readonly string[]): Promise<boolean>
}

/** One look for all who ask until a run changes, at most one second. */
export function createWorkGlance({ store }: Pick<EngineParts, 'store'>): WorkGlance {
  let current: Promise<Glance> | undefined
  let at = 0
  store.changes.subscribe((changes) => {
    if (changes.some(({ topic }) => topic === 'run')) current = undefined
  })
  const look = async (): Promise<Glance> => ({
    at,
    pools: new Set(await readyPools(store.db)),
    holders: new Set(await leaseHolders(store.db)),
  })
  return {
    async mayHave(workerId, pools) {
      const now = performance.now()
      if (!current || now - at > OLD_MS) {
        at = now
        current = look()
      }
      const { pools: ready, holders } = await current
      return holders.has(workerId) || pools.some((pool) => ready.has(pool))
    },
  }
}
