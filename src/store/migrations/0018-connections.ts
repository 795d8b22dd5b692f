import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** Repositories whose merge requests live on another forge. */
export const connections: Migration = {
  number: 18,
  name: 'connections',
  // An older program would take such a repository for its own, and merge in the mirror.
  breaking: true,
  async up(db, dialect) {
    await makeTable(db, dialect, 'connections', {
      columns: {
        id: 'text',
        repositoryId: 'text',
        forge: 'text',
        address: 'text',
        remoteId: 'text',
        path: 'text',
        botId: 'text',
        botName: 'text',
        tokenSealed: 'text',
        hookId: 'text?',
        hookSecretSealed: 'text?',
        hookProblem: 'text?',
        lookedAt: 'int?',
        nextLookAt: 'int',
        problemJson: 'text?',
        requestsLeft: 'int?',
        requestsLimit: 'int?',
        requestsResetAt: 'int?',
        createdById: 'text',
        createdAt: 'int',
      },
      key: ['id'],
      references: { repositoryId: 'repositories' },
    })
    await makeIndex(db, 'connectionsByRepository', { table: 'connections', on: '"repositoryId"', unique: true })
    await makeTable(db, dialect, 'forgePeople', {
      columns: { id: 'text', address: 'text', remoteId: 'text', userId: 'text', made: 'int', createdAt: 'int' },
      key: ['id'],
      references: { userId: 'users' },
    })
    await makeIndex(db, 'forgePeopleById', { table: 'forgePeople', on: '"address", "remoteId"', unique: true })
    await makeTable(db, dialect, 'forgePosts', {
      columns: {
        id: 'text',
        mrId: 'text',
        name: 'text',
        remoteId: 'text?',
        digest: 'text',
        state: 'text?',
        updatedAt: 'int',
        createdAt: 'int',
      },
      key: ['id'],
      references: { mrId: 'mergeRequests' },
    })
    await makeIndex(db, 'forgePostsByName', { table: 'forgePosts', on: '"mrId", "name"', unique: true })
    await makeTable(db, dialect, 'shownPlans', {
      columns: { id: 'text', mrId: 'text', headOid: 'text', digestsJson: 'text', filesJson: 'text', at: 'int' },
      key: ['id'],
      references: { mrId: 'mergeRequests' },
    })
    await makeIndex(db, 'shownPlansByMr', { table: 'shownPlans', on: '"mrId", "id"' })
    await makeTable(db, dialect, 'hookDeliveries', {
      columns: { repositoryId: 'text', deliveryId: 'text', at: 'int' },
      key: ['repositoryId', 'deliveryId'],
      references: { repositoryId: 'repositories' },
    })
    await db.schema.alterTable('reviews').addColumn('remoteId', 'text').execute()
  },
}
