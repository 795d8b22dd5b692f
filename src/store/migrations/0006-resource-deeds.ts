import { sql } from 'kysely'
import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** What runs did to single resources, and why and by whom a quarantine was lifted. */
export const resourceDeeds: Migration = {
  number: 6,
  name: 'resource-deeds',
  breaking: false,
  async up(db, dialect) {
    await makeTable(db, dialect, 'resourceDeeds', {
      columns: {
        id: 'text',
        stackId: 'text',
        runId: 'text',
        mrId: 'text?',
        kind: 'text',
        address: 'text',
        did: 'text',
        fromAddress: 'text?',
        importId: 'text?',
        at: 'int',
      },
      key: ['id'],
      references: { stackId: 'stacks', runId: 'runs' },
    })
    await makeIndex(db, 'resourceDeedsByAddress', { table: 'resourceDeeds', on: '"stackId", "address", "id"' })
    await makeIndex(db, 'resourceDeedsByRun', { table: 'resourceDeeds', on: '"runId", "id"' })
    await sql`alter table "quarantine" add column "liftedById" text`.execute(db)
    await sql`alter table "quarantine" add column "liftedReason" text`.execute(db)
  },
}
