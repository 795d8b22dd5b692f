import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** What each deployed stack manages alone. An older program would give a place to a second stack. */
export const places: Migration = {
  number: 7,
  name: 'places',
  breaking: true,
  async up(db, dialect) {
    await makeTable(db, dialect, 'places', {
      columns: { address: 'text', stackId: 'text', exceptJson: 'text?', runId: 'text', claimedAt: 'int' },
      key: ['address'],
      references: { stackId: 'stacks' },
    })
    await makeIndex(db, 'placesByStack', { table: 'places', on: '"stackId"' })
  },
}
