import { sql } from 'kysely'
import type { Migration } from './migration.ts'
import { makeIndex } from './table.ts'

/**
 * Of drift, who made it and since when it can be there. Of stacks, what people look for beside the name: owners, labels and
 * tools; the index that the matrix is read from holds them.
 */
export const driftMakers: Migration = {
  number: 17,
  name: 'drift-makers',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('driftRecords').addColumn('rightUntil', 'bigint').execute()
    await db.schema.alterTable('driftRecords').addColumn('byJson', 'text').execute()
    for (const column of ['facets', 'tools']) await db.schema.alterTable('stacks').addColumn(column, 'text').execute()
    await sql.raw('drop index "stacksByName"').execute(db)
    await makeIndex(db, 'stacksByName', {
      table: 'stacks',
      on: '"repositoryId", "removedAt", "name", "environment", "status", "driver", "path", "facets", "tools"',
    })
  },
}
