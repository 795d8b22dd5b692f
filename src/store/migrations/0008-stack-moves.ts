import type { Migration } from './migration.ts'

/** Whether a stack was changed while it was checked, told by counting and not by a clock that may be wrong for a while. */
export const stackMoves: Migration = {
  number: 8,
  name: 'stack-moves',
  breaking: false,
  async up(db) {
    await db.schema
      .alterTable('stacks')
      .addColumn('moves', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
    await db.schema.alterTable('runs').addColumn('movesSeen', 'bigint').execute()
  },
}
