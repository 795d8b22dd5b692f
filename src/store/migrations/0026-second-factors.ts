import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** Second factors of accounts, codes for their loss, and when a login has proven one. */
export const secondFactors: Migration = {
  number: 26,
  name: 'second-factors',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'secondFactors', {
      columns: {
        id: 'text',
        userId: 'text',
        secretSealed: 'text',
        confirmedAt: 'int?',
        lastStep: 'int',
        failures: 'int',
        lockedUntil: 'int?',
        createdAt: 'int',
      },
      key: ['id'],
      references: { userId: 'users' },
    })
    await makeIndex(db, 'secondFactorsByUser', { table: 'secondFactors', on: '"userId"', unique: true })
    await makeTable(db, dialect, 'recoveryCodes', {
      columns: { id: 'text', userId: 'text', hash: 'text', usedAt: 'int?', createdAt: 'int' },
      key: ['id'],
      references: { userId: 'users' },
    })
    await makeIndex(db, 'recoveryCodesByUser', { table: 'recoveryCodes', on: '"userId", "hash"', unique: true })
    await db.schema.alterTable('tokens').addColumn('provenAt', 'bigint').execute()
  },
}
