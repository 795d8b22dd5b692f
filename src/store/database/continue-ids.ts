import type { Kysely } from 'kysely'
import { continueAfter } from '../../lib/ids.ts'
import type { Database } from './schema.ts'

/** What is newest is told by ids: those of this process come after all that were ever made, whatever the clock says now. */
export async function continueIds(db: Kysely<Database>): Promise<void> {
  for (const table of ['runs', 'deployments', 'reviews', 'comments'] as const) {
    const newest = await db.selectFrom(table).select('id').orderBy('id', 'desc').limit(1).executeTakeFirst()
    if (newest) continueAfter(newest.id)
  }
}
