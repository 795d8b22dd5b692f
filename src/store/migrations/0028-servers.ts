import type { Migration } from './migration.ts'
import { makeTable } from './table.ts'

/** A database elsewhere knows which server it has, and follow-up work who handles it. */
export const servers: Migration = {
  number: 28,
  name: 'servers',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'servers', {
      columns: { id: 'text', host: 'text', pid: 'int', version: 'text', startedAt: 'int' },
      key: ['id'],
    })
    await db.schema.alterTable('tasks').addColumn('takenBy', 'text').execute()
  },
}
