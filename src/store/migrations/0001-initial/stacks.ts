import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const stacks: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'stacks', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      environment: 'text',
      name: 'text',
      path: 'text',
      driver: 'text',
      configJson: 'text',
      desiredCommit: 'text?',
      desiredDigest: 'text?',
      deployedCommit: 'text?',
      deployedDigest: 'text?',
      deployedConfigJson: 'text?',
      deployedAt: 'int?',
      observedAt: 'int?',
      observedCoverageJson: 'text?',
      status: 'text',
      statusReason: 'text?',
      brokenByRunId: 'text?',
      nextDriftAt: 'int?',
      healBackoffJson: 'text?',
      removedAt: 'int?',
      createdAt: 'int',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  await makeIndex(db, 'stacksByIdentity', {
    table: 'stacks',
    on: '"repositoryId", "environment", "name"',
    unique: true,
  })
  await makeIndex(db, 'stacksByNextDrift', {
    table: 'stacks',
    on: '"nextDriftAt"',
    where: '"nextDriftAt" is not null',
  })
  await makeTable(db, dialect, 'outputs', {
    columns: { stackId: 'text', name: 'text', valueJson: 'text', sensitive: 'int', updatedAt: 'int' },
    key: ['stackId', 'name'],
    references: { stackId: 'stacks' },
  })
}
