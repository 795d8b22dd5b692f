import { z } from 'zod'
import { DEFAULT_RETENTION, type Kept, Retention } from '../../domain/retention.ts'
import type { Queries } from '../database/context.ts'
import { getMeta, setMeta } from '../database/meta.ts'

const KEY = 'retention'

/** What was stored may be of an earlier version, which knew fewer kinds, and days only. */
const Stored = z.union([
  Retention.partial(),
  z
    .looseObject({ logs: z.int(), plans: z.int(), runs: z.int(), audit: z.int().optional() })
    .transform(({ logs, plans, runs, audit }): Partial<Retention> => {
      const days = (count: number): Kept => ({ days: count, count: null })
      const looks = { previews: days(runs), checks: days(runs) }
      return { logs: days(logs), plans: days(plans), ...looks, ...(audit && { audit: days(audit) }) }
    }),
])

export async function getRetention(db: Queries): Promise<Retention> {
  const stored = await getMeta(db, KEY)
  return stored === null ? DEFAULT_RETENTION : { ...DEFAULT_RETENTION, ...Stored.parse(JSON.parse(stored)) }
}

export const setRetention = (tx: Queries, retention: Retention): Promise<void> =>
  setMeta(tx, KEY, JSON.stringify(retention))
