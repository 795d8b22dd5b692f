import type { Migration } from './migration.ts'

/** A worker's key can be replaced, and the former one counts a little longer. */
export const workerKeys: Migration = {
  number: 13,
  name: 'worker-keys',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('workers').addColumn('formerKeyJson', 'text').execute()
    for (const column of ['formerKeyUntil', 'keyChangedAt', 'keyAskedAt'])
      await db.schema.alterTable('workers').addColumn(column, 'bigint').execute()
  },
}
