import type { Migration } from './migration.ts'

/** A run says which programs it needs, and is given only to workers that have one of them. */
export const runPrograms: Migration = {
  number: 20,
  name: 'run-programs',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('runs').addColumn('programsJson', 'text').execute()
  },
}
