import { sql } from 'kysely'
import type { Migration } from './migration.ts'
import { makeIndex } from './table.ts'

/** Stacks are looked for by their path, too: the index that the matrix is read from holds it. */
export const searchIndex: Migration = {
  number: 16,
  name: 'search-index',
  breaking: false,
  async up(db) {
    await sql.raw('drop index "stacksByName"').execute(db)
    await makeIndex(db, 'stacksByName', {
      table: 'stacks',
      on: '"repositoryId", "removedAt", "name", "environment", "status", "driver", "path"',
    })
  },
}
