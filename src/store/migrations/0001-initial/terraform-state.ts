import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const terraformState: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'stateVersions', {
    columns: {
      id: 'text',
      stackId: 'text',
      workspace: 'text',
      version: 'int',
      lineage: 'text',
      serial: 'int',
      md5: 'text',
      sealed: 'bytes',
      runId: 'text?',
      actorId: 'text?',
      createdAt: 'int',
    },
    key: ['id'],
    references: { stackId: 'stacks' },
  })
  await makeIndex(db, 'stateVersionsByNumber', {
    table: 'stateVersions',
    on: '"stackId", "workspace", "version"',
    unique: true,
  })
  await makeTable(db, dialect, 'stateLocks', {
    columns: {
      stackId: 'text',
      workspace: 'text',
      lockId: 'text',
      infoJson: 'text',
      runId: 'text?',
      userId: 'text?',
      createdAt: 'int',
    },
    key: ['stackId', 'workspace'],
    references: { stackId: 'stacks' },
  })
}
