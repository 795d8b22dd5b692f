import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const drift: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'driftRecords', {
    columns: {
      id: 'text',
      stackId: 'text',
      address: 'text',
      attribute: 'text',
      expectedJson: 'text?',
      actualJson: 'text?',
      actions: 'text',
      state: 'text',
      since: 'int',
      lastSeenAt: 'int',
      closedAt: 'int?',
      healCount: 'int',
      acceptedById: 'text?',
      acceptedReason: 'text?',
      acceptedUntil: 'int?',
      runId: 'text',
    },
    key: ['id'],
    references: { stackId: 'stacks' },
  })
  await makeIndex(db, 'driftRecordsOpen', {
    table: 'driftRecords',
    on: '"stackId", "address", "attribute"',
    unique: true,
    where: `"state" = 'open'`,
  })
  await makeIndex(db, 'driftRecordsByStack', { table: 'driftRecords', on: '"stackId", "state", "id"' })
  await makeTable(db, dialect, 'heals', {
    columns: { id: 'text', stackId: 'text', address: 'text', attribute: 'text', at: 'int' },
    key: ['id'],
    references: { stackId: 'stacks' },
  })
  await makeIndex(db, 'healsByStack', { table: 'heals', on: '"stackId", "at"' })
}
