import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const settings: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'quarantine', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      stackId: 'text',
      commitOid: 'text',
      desiredDigest: 'text',
      reason: 'text',
      mrId: 'text?',
      createdById: 'text?',
      createdAt: 'int',
      liftedAt: 'int?',
    },
    key: ['id'],
    references: { repositoryId: 'repositories', stackId: 'stacks' },
  })
  await makeIndex(db, 'quarantineByDigest', { table: 'quarantine', on: '"stackId", "desiredDigest"' })
  await makeTable(db, dialect, 'freezes', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      environment: 'text',
      reason: 'text',
      createdById: 'text',
      createdAt: 'int',
      until: 'int?',
      liftedAt: 'int?',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  await makeIndex(db, 'freezesByEnvironment', { table: 'freezes', on: '"repositoryId", "environment"' })
  await makeTable(db, dialect, 'variables', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      environment: 'text?',
      stack: 'text?',
      name: 'text',
      phase: 'text',
      secret: 'int',
      valueSealed: 'text',
      version: 'int',
      updatedById: 'text',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  // coalesce, because nulls count as different from each other in a unique index.
  await makeIndex(db, 'variablesByScope', {
    table: 'variables',
    on: `"repositoryId", coalesce("environment", ''), coalesce("stack", ''), "name", "phase"`,
    unique: true,
  })
}
