import type { Migration } from './migration.ts'

/** Checks that say the same as the one before are that run, seen once more; see `store/runs/repeats.ts`. */
export const quietChecks: Migration = {
  number: 10,
  name: 'quiet-checks',
  breaking: false,
  async up(db) {
    for (const column of ['quiet', 'repeats', 'repeatsTold'])
      await db.schema
        .alterTable('runs')
        .addColumn(column, 'bigint', (definition) => definition.notNull().defaultTo(0))
        .execute()
    await db.schema.alterTable('runs').addColumn('repeatedAt', 'bigint').execute()
  },
}
