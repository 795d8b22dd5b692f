import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** What secret variables were before they were changed: what a deployment replaces may still hold it. */
export const formerVariables: Migration = {
  number: 5,
  name: 'former-variables',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'formerVariables', {
      columns: {
        id: 'text',
        variableId: 'text',
        repositoryId: 'text',
        environment: 'text?',
        stack: 'text?',
        name: 'text',
        phase: 'text',
        valueSealed: 'text',
        createdAt: 'int',
      },
      key: ['id'],
      references: { repositoryId: 'repositories' },
    })
    await makeIndex(db, 'formerVariablesByName', { table: 'formerVariables', on: '"repositoryId", "name"' })
  },
}
