import { type Kysely, sql } from 'kysely'
import { AUDIT_GENESIS } from '../../domain/audit.ts'
import type { Migration, MigrationDialect } from './migration.ts'
import { makeIndex, makeTable } from './table.ts'

/** Every table of the first release; what the columns mean stands in `store/schema.ts`. */
export const initial: Migration = {
  number: 1,
  name: 'initial',
  breaking: true,
  async up(db, dialect) {
    await people(db, dialect)
    await repositories(db, dialect)
    await stacks(db, dialect)
    await runs(db, dialect)
    await drift(db, dialect)
    await settings(db, dialect)
    await terraformState(db, dialect)
    await machinery(db, dialect)
    await audit(db, dialect)
  },
}

type Step = (db: Kysely<unknown>, dialect: MigrationDialect) => Promise<void>

const people: Step = async (db, dialect) => {
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

const repositories: Step = async (db, dialect) => {
  await makeTable(db, dialect, 'repositories', {
    columns: {
      id: 'text',
      name: 'text',
      forge: 'text',
      defaultBranch: 'text',
      nextMrNumber: 'int',
      nextMergeSequence: 'int',
      hashKeySealed: 'text',
      createdAt: 'int',
    },
    key: ['id'],
  })
  await makeIndex(db, 'repositoriesByName', { table: 'repositories', on: '"name"', unique: true })
  await makeTable(db, dialect, 'members', {
    columns: { repositoryId: 'text', userId: 'text', role: 'text' },
    key: ['repositoryId', 'userId'],
    references: { repositoryId: 'repositories', userId: 'users' },
  })
  await makeIndex(db, 'membersByUser', { table: 'members', on: '"userId"' })
  await makeTable(db, dialect, 'refs', {
    columns: { repositoryId: 'text', name: 'text', oid: 'text', updatedAt: 'int' },
    key: ['repositoryId', 'name'],
    references: { repositoryId: 'repositories' },
  })
  await makeTable(db, dialect, 'pushes', {
    columns: { repositoryId: 'text', oid: 'text', userId: 'text', at: 'int' },
    key: ['repositoryId', 'oid', 'userId'],
    references: { repositoryId: 'repositories', userId: 'users' },
  })
  await makeTable(db, dialect, 'mergeRequests', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      number: 'int',
      title: 'text',
      description: 'text',
      sourceBranch: 'text',
      targetBranch: 'text',
      headOid: 'text',
      targetOid: 'text',
      mergeTreeOid: 'text?',
      state: 'text',
      draft: 'int',
      authorId: 'text',
      origin: 'text?',
      originDetailJson: 'text?',
      conflictsJson: 'text?',
      problemsJson: 'text?',
      previewsJson: 'text?',
      mergeOid: 'text?',
      mergeSequence: 'int?',
      mergedById: 'text?',
      mergedAt: 'int?',
      bypassReason: 'text?',
      createdAt: 'int',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  await makeIndex(db, 'mergeRequestsByNumber', {
    table: 'mergeRequests',
    on: '"repositoryId", "number"',
    unique: true,
  })
  await makeIndex(db, 'mergeRequestsByState', { table: 'mergeRequests', on: '"repositoryId", "state", "id"' })
  await makeIndex(db, 'mergeRequestsByMerge', {
    table: 'mergeRequests',
    on: '"mergeOid"',
    where: '"mergeOid" is not null',
  })
  // Two open merge requests of the same branches would be one change with two sets of approvals.
  await makeIndex(db, 'openMergeRequestsByBranch', {
    table: 'mergeRequests',
    on: '"repositoryId", "sourceBranch", "targetBranch"',
    unique: true,
    where: `"state" in ('open', 'merging')`,
  })
  await makeTable(db, dialect, 'reviews', {
    columns: {
      id: 'text',
      mrId: 'text',
      userId: 'text',
      verdict: 'text',
      headOid: 'text',
      digestsJson: 'text',
      body: 'text',
      droppedAt: 'int?',
      droppedReason: 'text?',
      createdAt: 'int',
    },
    key: ['id'],
    references: { mrId: 'mergeRequests', userId: 'users' },
  })
  await makeIndex(db, 'reviewsByMr', { table: 'reviews', on: '"mrId", "id"' })
  await makeTable(db, dialect, 'comments', {
    columns: {
      id: 'text',
      mrId: 'text',
      threadId: 'text',
      authorId: 'text?',
      body: 'text',
      path: 'text?',
      line: 'int?',
      side: 'text?',
      oid: 'text?',
      marker: 'text?',
      resolvedById: 'text?',
      resolvedAt: 'int?',
      createdAt: 'int',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { mrId: 'mergeRequests' },
  })
  await makeIndex(db, 'commentsByMr', { table: 'comments', on: '"mrId", "id"' })
  await makeIndex(db, 'commentsByMarker', {
    table: 'comments',
    on: '"mrId", "marker"',
    unique: true,
    where: '"marker" is not null',
  })
}

const stacks: Step = async (db, dialect) => {
  await makeTable(db, dialect, 'stacks', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      environment: 'text',
      name: 'text',
      path: 'text',
      driver: 'text',
      configJson: 'text',
      desiredCommit: 'text?',
      desiredDigest: 'text?',
      deployedCommit: 'text?',
      deployedDigest: 'text?',
      deployedConfigJson: 'text?',
      deployedAt: 'int?',
      observedAt: 'int?',
      observedCoverageJson: 'text?',
      status: 'text',
      statusReason: 'text?',
      brokenByRunId: 'text?',
      nextDriftAt: 'int?',
      healBackoffJson: 'text?',
      removedAt: 'int?',
      createdAt: 'int',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  await makeIndex(db, 'stacksByIdentity', {
    table: 'stacks',
    on: '"repositoryId", "environment", "name"',
    unique: true,
  })
  await makeIndex(db, 'stacksByNextDrift', {
    table: 'stacks',
    on: '"nextDriftAt"',
    where: '"nextDriftAt" is not null',
  })
  await makeTable(db, dialect, 'outputs', {
    columns: { stackId: 'text', name: 'text', valueJson: 'text', sensitive: 'int', updatedAt: 'int' },
    key: ['stackId', 'name'],
    references: { stackId: 'stacks' },
  })
}

const runs: Step = async (db, dialect) => {
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

const drift: Step = async (db, dialect) => {
  await makeTable(db, dialect, 'driftRecords', {
    columns: {
      id: 'text',
      stackId: 'text',
      address: 'text',
      attribute: 'text',
      expectedJson: 'text?',
      actualJson: 'text?',
      actions: 'text',
      state: 'text',
      since: 'int',
      lastSeenAt: 'int',
      closedAt: 'int?',
      healCount: 'int',
      acceptedById: 'text?',
      acceptedReason: 'text?',
      acceptedUntil: 'int?',
      runId: 'text',
    },
    key: ['id'],
    references: { stackId: 'stacks' },
  })
  await makeIndex(db, 'driftRecordsOpen', {
    table: 'driftRecords',
    on: '"stackId", "address", "attribute"',
    unique: true,
    where: `"state" = 'open'`,
  })
  await makeIndex(db, 'driftRecordsByStack', { table: 'driftRecords', on: '"stackId", "state", "id"' })
  await makeTable(db, dialect, 'heals', {
    columns: { id: 'text', stackId: 'text', address: 'text', attribute: 'text', at: 'int' },
    key: ['id'],
    references: { stackId: 'stacks' },
  })
  await makeIndex(db, 'healsByStack', { table: 'heals', on: '"stackId", "at"' })
}

const settings: Step = async (db, dialect) => {
  await makeTable(db, dialect, 'quarantine', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      stackId: 'text',
      commitOid: 'text',
      desiredDigest: 'text',
      reason: 'text',
      mrId: 'text?',
      createdById: 'text?',
      createdAt: 'int',
      liftedAt: 'int?',
    },
    key: ['id'],
    references: { repositoryId: 'repositories', stackId: 'stacks' },
  })
  await makeIndex(db, 'quarantineByDigest', { table: 'quarantine', on: '"stackId", "desiredDigest"' })
  await makeTable(db, dialect, 'freezes', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      environment: 'text',
      reason: 'text',
      createdById: 'text',
      createdAt: 'int',
      until: 'int?',
      liftedAt: 'int?',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  await makeIndex(db, 'freezesByEnvironment', { table: 'freezes', on: '"repositoryId", "environment"' })
  await makeTable(db, dialect, 'variables', {
    columns: {
      id: 'text',
      repositoryId: 'text',
      environment: 'text?',
      stack: 'text?',
      name: 'text',
      phase: 'text',
      secret: 'int',
      valueSealed: 'text',
      version: 'int',
      updatedById: 'text',
      updatedAt: 'int',
    },
    key: ['id'],
    references: { repositoryId: 'repositories' },
  })
  // coalesce, because nulls count as different from each other in a unique index.
  await makeIndex(db, 'variablesByScope', {
    table: 'variables',
    on: `"repositoryId", coalesce("environment", ''), coalesce("stack", ''), "name", "phase"`,
    unique: true,
  })
}

const terraformState: Step = async (db, dialect) => {
  await makeTable(db, dialect, 'stateVersions', {
    columns: {
      id: 'text',
      stackId: 'text',
      workspace: 'text',
      version: 'int',
      lineage: 'text',
      serial: 'int',
      md5: 'text',
      sealed: 'bytes',
      runId: 'text?',
      actorId: 'text?',
      createdAt: 'int',
    },
    key: ['id'],
    references: { stackId: 'stacks' },
  })
  await makeIndex(db, 'stateVersionsByNumber', {
    table: 'stateVersions',
    on: '"stackId", "workspace", "version"',
    unique: true,
  })
  await makeTable(db, dialect, 'stateLocks', {
    columns: {
      stackId: 'text',
      workspace: 'text',
      lockId: 'text',
      infoJson: 'text',
      runId: 'text?',
      userId: 'text?',
      createdAt: 'int',
    },
    key: ['stackId', 'workspace'],
    references: { stackId: 'stacks' },
  })
}

const machinery: Step = async (db, dialect) => {
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

const audit: Step = async (db, dialect) => {
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
