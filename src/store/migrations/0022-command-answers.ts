import type { Migration } from './migration.ts'

/** What came of the commands of a comment, one by one. */
export const commandAnswers: Migration = {
  number: 22,
  name: 'command-answers',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('forgeCommands').addColumn('answersJson', 'text').execute()
  },
}
