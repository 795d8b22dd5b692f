import type { Migration } from './migration.ts'
import { makeTable } from './table.ts'

/**
 * Parts of the audit chain that left the database, each with its signed checkpoint. Breaking: an earlier program would take
 * the events that left for a broken chain.
 */
export const auditArchives: Migration = {
  number: 14,
  name: 'audit-archives',
  breaking: true,
  async up(db, dialect) {
    await makeTable(db, dialect, 'auditArchives', {
      columns: {
        fromSeq: 'int',
        through: 'int',
        previousHash: 'text',
        hash: 'text',
        count: 'int',
        firstAt: 'int',
        lastAt: 'int',
        at: 'int',
        file: 'text',
        keyId: 'text',
        signature: 'text',
      },
      key: ['through'],
    })
  },
}
