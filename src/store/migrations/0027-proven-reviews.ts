import type { Migration } from './migration.ts'

/** An approval says when its giver had last proven the second factor. */
export const provenReviews: Migration = {
  number: 27,
  name: 'proven-reviews',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('reviews').addColumn('provenAt', 'bigint').execute()
  },
}
