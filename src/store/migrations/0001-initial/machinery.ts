import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const machinery: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'meta', { columns: { key: 'text', value: 'text' }, key: ['key'] })
  await makeTable(db, dialect, 'enrolments', {
    columns: {
      id: 'text',
      tokenHash: 'text',
      poolsJson: 'text',
      builtin: 'int',
      expiresAt: 'int',
      usedAt: 'int?',
      createdById: 'text?',
      createdAt: 'int',
    },
    key: ['id'],
  })
  await makeIndex(db, 'enrolmentsByToken', { table: 'enrolments', on: '"tokenHash"', unique: true })
  await makeTable(db, dialect, 'workers', {
    columns: {
      id: 'text',
      name: 'text',
      kind: 'text',
      poolsJson: 'text',
      publicKeyJson: 'text',
      infoJson: 'text',
      builtin: 'int',
      lastSeenAt: 'int?',
      revokedAt: 'int?',
      createdAt: 'int',
    },
    key: ['id'],
  })
  await makeIndex(db, 'workersByName', {
    table: 'workers',
    on: '"name"',
    unique: true,
    where: '"revokedAt" is null',
  })
  await makeTable(db, dialect, 'tasks', {
    columns: {
      id: 'text',
      kind: 'text',
      dedupeKey: 'text',
      payloadJson: 'text',
      runAt: 'int',
      attempt: 'int',
      takenAt: 'int?',
      lastError: 'text?',
      createdAt: 'int',
    },
    key: ['id'],
  })
  await makeIndex(db, 'tasksPending', {
    table: 'tasks',
    on: '"kind", "dedupeKey"',
    unique: true,
    where: '"takenAt" is null',
  })
  await makeIndex(db, 'tasksTaken', { table: 'tasks', on: '"kind", "dedupeKey"', where: '"takenAt" is not null' })
  await makeIndex(db, 'tasksDue', { table: 'tasks', on: '"runAt", "id"', where: '"takenAt" is null' })
  await makeTable(db, dialect, 'idempotencyKeys', {
    columns: {
      key: 'text',
      userId: 'text',
      requestHash: 'text',
      status: 'int',
      responseJson: 'text',
      createdAt: 'int',
    },
    key: ['userId', 'key'],
  })
  await makeIndex(db, 'idempotencyKeysByAge', { table: 'idempotencyKeys', on: '"createdAt"' })
}
