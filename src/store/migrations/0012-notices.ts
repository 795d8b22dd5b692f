import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/**
 * What people are to know of an environment: an incident, works, a word. And the way to two lists: what a merge request
 * deployed, and what was done in a stack, newest first.
 */
export const notices: Migration = {
  number: 12,
  name: 'notices',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'notices', {
      columns: {
        id: 'text',
        repositoryId: 'text',
        environment: 'text',
        kind: 'text',
        text: 'text',
        createdById: 'text',
        createdAt: 'int',
        until: 'int?',
        withdrawnAt: 'int?',
      },
      key: ['id'],
      references: { repositoryId: 'repositories' },
    })
    await makeIndex(db, 'deploymentsByMr', { table: 'deployments', on: '"repositoryId", "mrId", "id"' })
    await makeIndex(db, 'resourceDeedsByStack', { table: 'resourceDeeds', on: '"stackId", "id"' })
    await makeIndex(db, 'noticesByEnvironment', { table: 'notices', on: '"repositoryId", "environment"' })
  },
}
