import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** Comments on connected forges that command something. */
export const forgeCommands: Migration = {
  number: 19,
  name: 'forge-commands',
  breaking: false,
  async up(db, dialect) {
    await db.schema.alterTable('connections').addColumn('heardUntil', 'bigint').execute()
    await makeTable(db, dialect, 'forgeCommands', {
      columns: {
        id: 'text',
        repositoryId: 'text',
        mrId: 'text',
        commentId: 'text',
        userId: 'text',
        body: 'text',
        writtenAt: 'int',
        mrState: 'text',
        state: 'text',
        createdAt: 'int',
      },
      key: ['id'],
      references: { repositoryId: 'repositories', mrId: 'mergeRequests', userId: 'users' },
    })
    await makeIndex(db, 'forgeCommandsByComment', {
      table: 'forgeCommands',
      on: '"repositoryId", "commentId"',
      unique: true,
    })
    await makeIndex(db, 'forgeCommandsByMr', { table: 'forgeCommands', on: '"mrId", "state"' })
  },
}
