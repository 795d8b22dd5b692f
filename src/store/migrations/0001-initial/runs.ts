import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const runs: MigrationStep = async (db, dialect) => {
  await makeTable(db, dialect, 'runs', {
    columns: {
      id: 'text',
      stackId: 'text',
      repositoryId: 'text',
      kind: 'text',
      state: 'text',
      reason: 'text?',
      message: 'text?',
      errorJson: 'text?',
      commitOid: 'text',
      desiredDigest: 'text',
      specJson: 'text',
      mrId: 'text?',
      mergeSequence: 'int?',
      pool: 'text',
      priority: 'int',
      ready: 'int',
      planDigest: 'text?',
      planJson: 'text?',
      planSummaryJson: 'text?',
      checksJson: 'text?',
      verifyJson: 'text?',
      resultJson: 'text?',
      approvedDigest: 'text?',
      approvedPlanJson: 'text?',
      approvedById: 'text?',
      provisional: 'int',
      attempt: 'int',
      retryOfRunId: 'text?',
      notBefore: 'int?',
      workerId: 'text?',
      leaseRequest: 'text?',
      fence: 'int',
      leaseUntil: 'int?',
      cancelRequestedAt: 'int?',
      cancelReason: 'text?',
      logBase: 'int',
      logSize: 'int',
      createdAt: 'int',
      startedAt: 'int?',
      finishedAt: 'int?',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { stackId: 'stacks', repositoryId: 'repositories' },
  })
  // The claim walks this index in its order and stops at the first run that is ready.
  const nullsFirst = dialect.name === 'postgres' ? ' nulls first' : ''
  await makeIndex(db, 'runsQueue', {
    table: 'runs',
    on: `"state", "pool", "ready", "priority" desc, "mergeSequence"${nullsFirst}, "createdAt", "id"`,
  })
  // One writer a stack, whatever the program above believes.
  await makeIndex(db, 'runsOneWriterPerStack', {
    table: 'runs',
    on: '"stackId"',
    unique: true,
    where: `"kind" in ('deploy', 'heal', 'destroy') and "state" in ('leased', 'preparing', 'planning', 'applying', 'verifying')`,
  })
  await makeIndex(db, 'runsByNotBefore', { table: 'runs', on: '"notBefore"', where: '"notBefore" is not null' })
  await makeIndex(db, 'runsByStackState', { table: 'runs', on: '"stackId", "state"' })
  await makeIndex(db, 'runsByStack', { table: 'runs', on: '"stackId", "id"' })
  await makeIndex(db, 'runsByRepository', { table: 'runs', on: '"repositoryId", "id"' })
  await makeIndex(db, 'runsByMr', { table: 'runs', on: '"mrId", "id"', where: '"mrId" is not null' })
  await makeIndex(db, 'runsByLease', { table: 'runs', on: '"leaseUntil"', where: '"leaseUntil" is not null' })
  await makeIndex(db, 'runsByWorker', { table: 'runs', on: '"workerId", "id"', where: '"workerId" is not null' })
  await makeTable(db, dialect, 'runDependencies', {
    columns: { runId: 'text', dependsOnRunId: 'text' },
    key: ['runId', 'dependsOnRunId'],
    references: { runId: 'runs', dependsOnRunId: 'runs' },
  })
  await makeIndex(db, 'runDependenciesUp', { table: 'runDependencies', on: '"dependsOnRunId"' })
  await makeTable(db, dialect, 'runLogs', {
    columns: { runId: 'text', offset: 'int', text: 'text', at: 'int' },
    key: ['runId', 'offset'],
    references: { runId: 'runs' },
  })
  await makeTable(db, dialect, 'deployments', {
    columns: {
      id: 'text',
      stackId: 'text',
      repositoryId: 'text',
      runId: 'text',
      mrId: 'text?',
      kind: 'text',
      commitOid: 'text',
      previousCommitOid: 'text?',
      desiredDigest: 'text',
      status: 'text',
      summaryJson: 'text',
      actorId: 'text?',
      finishedAt: 'int',
    },
    key: ['id'],
    references: { stackId: 'stacks', repositoryId: 'repositories', runId: 'runs' },
  })
  await makeIndex(db, 'deploymentsByStack', { table: 'deployments', on: '"stackId", "id"' })
  await makeIndex(db, 'deploymentsByRepository', { table: 'deployments', on: '"repositoryId", "id"' })
  // A run is enacted once: reporting its end twice cannot make two deployments.
  await makeIndex(db, 'deploymentsByRun', { table: 'deployments', on: '"runId"', unique: true })
}
