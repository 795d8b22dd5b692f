import { type Kysely, sql } from 'kysely'
import type { Migration } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** Whose share of the slots a run takes, whose turn it is, and what workers are enrolled for. */
export const shares: Migration = {
  number: 4,
  name: 'shares',
  // An older program would give runs to workers that are not enrolled for them.
  breaking: true,
  async up(db: Kysely<unknown>, dialect) {
    for (const table of ['workers', 'enrolments'])
      for (const column of ['repositoriesJson', 'environmentsJson'])
        await db.schema
          .alterTable(table)
          .addColumn(column, 'text', (definition) => definition.notNull().defaultTo('[]'))
          .execute()
    await db.schema
      .alterTable('runs')
      .addColumn('share', 'text', (definition) => definition.notNull().defaultTo(''))
      .execute()
    await sql`update ${sql.table('runs')} set ${sql.ref('share')} = ${sql.ref('repositoryId')}`.execute(db)
    await makeTable(db, dialect, 'queueTurns', {
      columns: { pool: 'text', priority: 'int', share: 'text' },
      key: ['pool', 'priority'],
    })
    await sql.raw('drop index "runsQueue"').execute(db)
    // The claim steps from share to share in this index, and in each to the first run that is ready.
    const nullsFirst = dialect.name === 'postgres' ? ' nulls first' : ''
    await makeIndex(db, 'runsQueue', {
      table: 'runs',
      on: `"state", "pool", "ready", "priority" desc, "share", "mergeSequence"${nullsFirst}, "createdAt", "id"`,
    })
  },
}
