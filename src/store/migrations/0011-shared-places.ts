import type { Kysely } from 'kysely'
import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

interface Former {
  places: { address: string; stackId: string; exceptJson: string | null; runId: string; claimedAt: number }
}

/** A file of a host may be edited by several stacks of one environment, so that an address has more than one row. */
export const sharedPlaces: Migration = {
  number: 11,
  name: 'shared-places',
  breaking: true,
  async up(db, dialect) {
    const former = db as unknown as Kysely<Former>
    const rows = await former.selectFrom('places').selectAll().execute()
    // The name of a key is taken until its table is gone.
    await db.schema.dropTable('places').execute()
    await makeTable(db, dialect, 'places', {
      columns: {
        address: 'text',
        stackId: 'text',
        exceptJson: 'text?',
        shared: 'int',
        runId: 'text',
        claimedAt: 'int',
      },
      key: ['address', 'stackId'],
      references: { stackId: 'stacks' },
    })
    await makeIndex(db, 'placesByStack', { table: 'places', on: '"stackId"' })
    for (const row of rows)
      await former
        .insertInto('places')
        .values({ ...row, shared: 0 } as Former['places'])
        .execute()
  },
}
