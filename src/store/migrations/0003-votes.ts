import type { Kysely } from 'kysely'
import type { Migration } from './migration.ts'

/** What an approval saw of owned files, and whom a maintainer lets vote although commits name them. */
export const votes: Migration = {
  number: 3,
  name: 'votes',
  // An older program would count votes that this one does not.
  breaking: true,
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('reviews').addColumn('filesJson', 'text').execute()
    await db.schema.alterTable('mergeRequests').addColumn('liftedJson', 'text').execute()
  },
}
