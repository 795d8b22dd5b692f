import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const people: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'users', {
    columns: {
      id: 'text',
      name: 'text',
      email: 'text',
      passwordHash: 'text?',
      kind: 'text',
      disabledAt: 'int?',
      createdAt: 'int',
    },
    key: ['id'],
  })
  await makeIndex(db, 'usersByName', { table: 'users', on: '"name"', unique: true })
  await makeTable(db, dialect, 'teams', { columns: { id: 'text', name: 'text', createdAt: 'int' }, key: ['id'] })
  await makeIndex(db, 'teamsByName', { table: 'teams', on: '"name"', unique: true })
  await makeTable(db, dialect, 'teamMembers', {
    columns: { teamId: 'text', userId: 'text' },
    key: ['teamId', 'userId'],
    references: { teamId: 'teams', userId: 'users' },
  })
  await makeIndex(db, 'teamMembersByUser', { table: 'teamMembers', on: '"userId"' })
  await makeTable(db, dialect, 'tokens', {
    columns: {
      id: 'text',
      userId: 'text',
      name: 'text',
      hash: 'text',
      scopes: 'text',
      expiresAt: 'int?',
      lastUsedAt: 'int?',
      revokedAt: 'int?',
      createdAt: 'int',
    },
    key: ['id'],
    references: { userId: 'users' },
  })
  await makeIndex(db, 'tokensByHash', { table: 'tokens', on: '"hash"', unique: true })
  await makeIndex(db, 'tokensByUser', { table: 'tokens', on: '"userId"' })
}
