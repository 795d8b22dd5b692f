import { z } from 'zod'
import { getMeta, setMeta } from '../database/meta.ts'
import type { Queries } from '../database/context.ts'

const Days = z.number().int().min(1).max(36_500)

/**
 * How many days something is kept after the end of its run. Deployments, what they applied, and the audit are kept for good.
 * `logs`: of all runs. `plans`: plans and results of previews and drift checks. `runs`: previews and drift checks themselves.
 */
export const Retention = z.strictObject({ logs: Days, plans: Days, runs: Days })
export type Retention = z.infer<typeof Retention>

/** Half a year of logs, and more than a year of what was looked at: an auditor asks for the year that has ended. */
export const DEFAULT_RETENTION: Retention = { logs: 180, plans: 180, runs: 400 }

const KEY = 'retention'

export async function getRetention(db: Queries): Promise<Retention> {
  const stored = await getMeta(db, KEY)
  return stored === null ? DEFAULT_RETENTION : Retention.parse(JSON.parse(stored))
}

export const setRetention = (tx: Queries, retention: Retention): Promise<void> =>
  setMeta(tx, KEY, JSON.stringify(retention))
