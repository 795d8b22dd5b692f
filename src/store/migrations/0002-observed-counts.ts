import type { Migration } from './migration.ts'

/** How much of a stack the last look saw, as numbers that a query can add up. */
export const observedCounts: Migration = {
  number: 2,
  name: 'observed-counts',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('stacks').addColumn('observedChecked', 'bigint').execute()
    await db.schema.alterTable('stacks').addColumn('observedUnchecked', 'bigint').execute()
  },
}
