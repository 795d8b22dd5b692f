import type { Migration } from './migration.ts'

/** A token says what it is: a login of a browser or of the command line, and from where; null: a token that somebody made. */
export const sessions: Migration = {
  number: 25,
  name: 'sessions',
  breaking: false,
  async up(db) {
    for (const column of ['kind', 'address']) await db.schema.alterTable('tokens').addColumn(column, 'text').execute()
  },
}
