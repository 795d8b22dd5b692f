import type { MigrationStep } from '../migration.ts'
import { makeIndex, makeTable } from '../table.ts'

export const repositories: MigrationStep = async (db, dialect) => {
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
