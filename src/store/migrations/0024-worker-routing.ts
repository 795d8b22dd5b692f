import type { Kysely } from 'kysely'
import { makeIndex } from './table.ts'
import type { Migration } from './migration.ts'

/** A stack says whose workers watch it, so that one that connects finds its own among all. */
export const workerRouting: Migration = {
  number: 24,
  name: 'worker-routing',
  breaking: false,
  async up(db) {
    await db.schema.alterTable('stacks').addColumn('deployedPool', 'text').execute()
    await fillPools(db as Kysely<Tables>)
    await makeIndex(db, 'stacksByDeployedPool', {
      table: 'stacks',
      on: '"deployedPool", "id"',
      where: '"deployedPool" is not null',
    })
  },
}

interface Tables {
  stacks: { id: string; deployedConfigJson: string | null; deployedPool: string | null }
}

async function fillPools(db: Kysely<Tables>): Promise<void> {
  const ids = await db.selectFrom('stacks').select('id').where('deployedConfigJson', 'is not', null).execute()
  for (const { id } of ids) {
    const row = await db.selectFrom('stacks').select('deployedConfigJson').where('id', '=', id).executeTakeFirst()
    const config = JSON.parse(row?.deployedConfigJson ?? '{}') as { definition?: { pool?: string } }
    await db
      .updateTable('stacks')
      .set({ deployedPool: config.definition?.pool ?? 'default' })
      .where('id', '=', id)
      .execute()
  }
}
