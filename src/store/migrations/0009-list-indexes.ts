import type { Kysely } from 'kysely'
import type { Migration } from './migration.ts'
import { makeIndex } from './table.ts'

/**
 * An index for each filter of each list, in the list's own order, so that a page is a few steps in an index however long the
 * history is. Runs that have ended are out of the way of everything that looks for those under way.
 */
export const listIndexes: Migration = {
  number: 9,
  name: 'list-indexes',
  // An older program would make drift records that no list finds.
  breaking: true,
  async up(db) {
    await runs(db)
    await stacks(db)
    await changes(db)
    await audit(db)
    await drift(db)
  },
}

async function runs(db: Kysely<unknown>): Promise<void> {
  for (const name of ['runsByStackState', 'runsByStack', 'runsByWorker', 'runsByNotBefore'])
    await db.schema.dropIndex(name).execute()
  await makeIndex(db, 'runsByRepositoryState', { table: 'runs', on: '"repositoryId", "state", "kind", "id"' })
  await makeIndex(db, 'runsByStackKind', { table: 'runs', on: '"stackId", "kind", "id"' })
  await makeIndex(db, 'runsUnfinished', { table: 'runs', on: '"stackId", "kind", "id"', where: '"finishedAt" is null' })
  await makeIndex(db, 'runsByNotBefore', {
    table: 'runs',
    on: '"state", "notBefore"',
    where: '"notBefore" is not null',
  })
  await makeIndex(db, 'runsHeld', { table: 'runs', on: '"workerId", "id"', where: '"leaseUntil" is not null' })
}

async function stacks(db: Kysely<unknown>): Promise<void> {
  // Rows of stacks hold whole configurations: what counts, filters or compares all of them must not read them.
  const indexes = {
    stacksListed: '"repositoryId", "removedAt", "id", "environment", "status", "driver"',
    stacksByStatus: '"repositoryId", "removedAt", "environment", "status"',
    stacksByName: '"repositoryId", "removedAt", "name", "environment", "status", "driver"',
    stacksObserved: '"status", "removedAt", "observedChecked", "observedUnchecked"',
  }
  for (const [name, on] of Object.entries(indexes)) await makeIndex(db, name, { table: 'stacks', on })
}

async function changes(db: Kysely<unknown>): Promise<void> {
  await makeIndex(db, 'mergeRequestsByRepository', { table: 'mergeRequests', on: '"repositoryId", "id"' })
  await makeIndex(db, 'mergeRequestsByBranch', { table: 'mergeRequests', on: '"repositoryId", "sourceBranch", "id"' })
  await makeIndex(db, 'deploymentsByTime', { table: 'deployments', on: '"repositoryId", "finishedAt"' })
  await makeIndex(db, 'deploymentsByCommit', { table: 'deployments', on: '"repositoryId", "commitOid", "id"' })
  await makeIndex(db, 'tasksPutOff', { table: 'tasks', on: '"dedupeKey"', where: '"lastError" is not null' })
  await makeIndex(db, 'quarantineStanding', {
    table: 'quarantine',
    on: '"repositoryId", "id"',
    where: '"liftedAt" is null',
  })
  await makeIndex(db, 'quarantineByMr', { table: 'quarantine', on: '"mrId", "id"', where: '"mrId" is not null' })
}

async function audit(db: Kysely<unknown>): Promise<void> {
  await makeIndex(db, 'auditByActor', { table: 'audit', on: '"actor", "seq"' })
  await makeIndex(db, 'auditByAction', { table: 'audit', on: '"action", "seq"' })
  await makeIndex(db, 'auditByTime', { table: 'audit', on: '"at", "seq"' })
}

/** Who a stack is never changes, so its records may carry it, and need not be looked for among all stacks. */
async function drift(db: Kysely<unknown>): Promise<void> {
  const columns = ['repositoryId', 'environment'] as const
  for (const column of columns)
    await db.schema
      .alterTable('driftRecords')
      .addColumn(column, 'text', (definition) => definition.notNull().defaultTo(''))
      .execute()
  const untyped = db as Kysely<{ driftRecords: { stackId: string }; stacks: { id: string } }>
  await untyped
    .updateTable('driftRecords')
    .set((row) =>
      Object.fromEntries(
        columns.map((column) => [
          column,
          row
            .selectFrom('stacks')
            .select(`stacks.${column}` as never)
            .whereRef('stacks.id', '=', 'driftRecords.stackId'),
        ]),
      ),
    )
    .execute()
  const table = 'driftRecords'
  await makeIndex(db, 'driftRecordsByRepository', { table, on: '"repositoryId", "state", "id"' })
  await makeIndex(db, 'driftRecordsByEnvironment', { table, on: '"repositoryId", "environment", "state", "id"' })
  await makeIndex(db, 'driftRecordsByEnd', { table, on: '"repositoryId", "state", "closedAt"' })
}
