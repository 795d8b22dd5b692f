import { sql } from 'kysely'
import { AUDIT_GENESIS } from '../../../domain/audit.ts'
import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const audit: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'audit', {
    columns: {
      seq: 'int',
      at: 'int',
      actor: 'text',
      action: 'text',
      subject: 'text',
      repositoryId: 'text?',
      dataJson: 'text',
      previousHash: 'text',
      hash: 'text',
    },
    key: ['seq'],
  })
  await makeIndex(db, 'auditBySubject', { table: 'audit', on: '"subject", "seq"' })
  await makeIndex(db, 'auditByRepository', { table: 'audit', on: '"repositoryId", "seq"' })
  await makeTable(db, dialect, 'auditHead', { columns: { id: 'int', seq: 'int', hash: 'text' }, key: ['id'] })
  await sql`insert into "auditHead" ("id", "seq", "hash") values (1, 0, ${AUDIT_GENESIS})`.execute(db)
  await makeTable(db, dialect, 'auditCheckpoints', {
    columns: { seq: 'int', hash: 'text', at: 'int', keyId: 'text', signature: 'text' },
    key: ['seq'],
  })
}
