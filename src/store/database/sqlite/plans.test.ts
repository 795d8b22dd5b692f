import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type KyselyPlugin, type RootOperationNode, sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHANGING_KINDS, LEASED_STATES, PENDING_STATES } from '../../../domain/runs/run.ts'
import { listAudit } from '../../audit/list.ts'
import { listMergeRequests } from '../../changes/merge-requests.ts'
import { openStore, type Store } from '../../open.ts'
import { claimRun, nextInLine } from '../../runs/claim.ts'
import { refreshRun } from '../../runs/ready.ts'
import { replacedRuns } from '../../runs/replaced.ts'
import { listRuns } from '../../runs/runs.ts'
import {
  latestPlanned,
  poolsWithRunsDue,
  readyChanges,
  releaseHeldRuns,
  runsWhoseTimeHasCome,
} from '../../runs/search.ts'
import { nextTaskAt, takeTask, whyPutOff } from '../../runs/tasks.ts'
import { deedsOfStack } from '../../stacks/deeds.ts'
import { deliveryDays } from '../../stacks/delivery.ts'
import { countOpenDrift, listDriftRecords, standingDrift } from '../../stacks/drift.ts'
import { listDeployments } from '../../stacks/deployments.ts'
import { stackMatrix } from '../../stacks/matrix.ts'
import { findQuarantines, listQuarantine } from '../../stacks/quarantine.ts'
import {
  countLooks,
  countStacksByStatus,
  findStack,
  listStacks,
  nextDriftAt,
  stacksDueForDrift,
} from '../../stacks/stacks.ts'
import { bindContext, type Queries, type Tx } from '../context.ts'

/** Tables that grow with the life of an installation: reading one of them from end to end is what must not be. */
const GROWING = [
  'runs',
  'audit',
  'tasks',
  'stacks',
  'mergeRequests',
  'deployments',
  'driftRecords',
  'runLogs',
  'quarantine',
]

describe('the way to every list', () => {
  let dataDir: string
  let store: Store
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trueup-plans-'))
    store = await openStore(dataDir)
  })
  afterAll(async () => {
    await store.close()
    await rm(dataDir, { recursive: true })
  })

  /** What SQLite does for each statement of a query, as it says itself. */
  async function plansOf(query: (db: Queries) => Promise<unknown>): Promise<string[]> {
    const seen: RootOperationNode[] = []
    const note: KyselyPlugin = {
      transformQuery({ node }) {
        seen.push(node)
        return node
      },
      transformResult: async ({ result }) => result,
    }
    const db = store.db.withPlugin(note)
    bindContext(db, { clock: store.clock, note: () => {} })
    await query(db)
    const plans: string[] = []
    for (const node of seen) {
      const { sql: text, parameters } = store.db.getExecutor().compileQuery(node, { queryId: 'plan' })
      // Values as they are: whether a partial index serves depends on nothing but the text.
      const parts = text.split('?')
      const explained = parts.map((part, at) => (at === 0 ? sql.raw(part) : sql`${parameters[at - 1]}${sql.raw(part)}`))
      const { rows } = await sql<{ detail: string }>`explain query plan ${sql.join(explained, sql``)}`.execute(store.db)
      plans.push(...rows.map(({ detail }) => detail))
    }
    return plans
  }

  const repositoryId = 'repo_a'
  const stackId = 'stack_a'
  const page = { limit: 50, cursor: 'x_1' }

  const LISTS: { [name: string]: { query: (db: Queries) => Promise<unknown>; by: string } } = {
    'runs of a repository': { query: (db) => listRuns(db, { repositoryId }, page), by: 'runsByRepository' },
    'runs by state': {
      query: (db) => listRuns(db, { repositoryId, states: ['failed'] }, page),
      by: 'runsByRepositoryState',
    },
    'runs by several states': {
      query: (db) => listRuns(db, { repositoryId, states: ['failed', 'lost', 'queued'] }, page),
      by: 'runsByRepositoryState',
    },
    'runs under way': {
      query: (db) => listRuns(db, { repositoryId, states: ['planning'] }),
      by: 'runsByRepositoryState',
    },
    'runs by kind': {
      query: (db) => listRuns(db, { repositoryId, kinds: ['deploy'] }, page),
      by: 'runsByRepositoryState',
    },
    'runs by kind and state': {
      query: (db) => listRuns(db, { repositoryId, kinds: ['deploy'], states: ['failed'] }, page),
      by: 'runsByRepositoryState',
    },
    'runs of a stack': { query: (db) => listRuns(db, { repositoryId, stackId }, page), by: 'runsByStackKind' },
    'runs of a stack by state': {
      query: (db) => listRuns(db, { stackId, states: ['failed'] }, page),
      by: 'runsByStackKind',
    },
    'runs of a stack by kind': {
      query: (db) => listRuns(db, { stackId, kinds: CHANGING_KINDS }),
      by: 'runsByStackKind',
    },
    'runs of a stack under way': {
      query: (db) => listRuns(db, { stackId, kinds: CHANGING_KINDS, states: PENDING_STATES }),
      by: 'runsUnfinished',
    },
    'runs of a merge request': {
      query: (db) => listRuns(db, { repositoryId, mrId: 'mr_a', kinds: ['preview'] }),
      by: 'runsByMr',
    },
    'runs that a worker holds': { query: (db) => listRuns(db, { heldBy: 'w', states: LEASED_STATES }), by: 'runsHeld' },
    'runs of a commit': {
      query: (db) => listRuns(db, { stackId, commitOid: 'c', kinds: ['deploy'] }),
      by: 'runsByStackKind',
    },
    'the newest plan': {
      query: (db) => latestPlanned(db, { stackId, desiredDigest: 'd', kinds: ['drift', 'preview'], notRunId: 'r' }),
      by: 'runsByStackKind',
    },
    'runs whose time has come': {
      query: (db) => runsWhoseTimeHasCome(db, { reasons: ['frozen'], now: 1, limit: 9 }),
      by: 'runsByNotBefore',
    },
    'pools with runs due': { query: (db) => poolsWithRunsDue(db, 1, 2), by: 'runsByNotBefore' },
    'held runs': {
      query: (db) => releaseHeldRuns(db, { repositoryId, reasons: ['frozen'] }),
      by: 'runsByRepositoryState',
    },
    'changes that are ready': { query: (db) => readyChanges(db, ['default']), by: 'runsQueue' },
    'whether a run is ready': { query: (db) => refreshRun(db, 'run_a'), by: 'runsUnfinished' },
    stacks: { query: (db) => listStacks(db, { repositoryId }, page), by: 'stacksListed' },
    'stacks by status': {
      query: (db) => listStacks(db, { repositoryId, statuses: ['failed'] }, page),
      by: 'stacksListed',
    },
    'one stack': {
      query: (db) => findStack(db, { repositoryId, environment: 'a', name: 'b' }),
      by: 'stacksByIdentity',
    },
    overview: { query: (db) => countStacksByStatus(db, repositoryId), by: 'COVERING INDEX stacksByStatus' },
    looks: { query: (db) => countLooks(db), by: 'COVERING INDEX stacksObserved' },
    matrix: { query: (db) => stackMatrix(db, { repositoryId, sort: 'name' }, page), by: 'COVERING INDEX stacksByName' },
    'matrix by need': {
      query: (db) => stackMatrix(db, { repositoryId, sort: 'need', text: 'a' }, page),
      by: 'COVERING INDEX stacksByName',
    },
    'stacks due for a check': { query: (db) => stacksDueForDrift(db, 1, 9), by: 'stacksByNextDrift' },
    'the next check': { query: (db) => nextDriftAt(db), by: 'stacksByNextDrift' },
    deployments: { query: (db) => listDeployments(db, { repositoryId }, page), by: 'deploymentsByRepository' },
    'deployments of a stack': {
      query: (db) => listDeployments(db, { repositoryId, stackId }, page),
      by: 'deploymentsByStack',
    },
    'deployments of a merge request': {
      query: (db) => listDeployments(db, { repositoryId, mrId: 'mr_a' }, page),
      by: 'deploymentsByMr',
    },
    'what was done in a stack': {
      query: (db) => deedsOfStack(db, stackId, 100),
      by: 'resourceDeedsByStack',
    },
    'deployments of a commit': {
      query: (db) => listDeployments(db, { repositoryId, commitOid: 'c', kind: 'deploy' }),
      by: 'deploymentsByCommit',
    },
    delivery: { query: (db) => deliveryDays(db, { repositoryId, since: 1, now: 2 }), by: 'deploymentsByTime' },
    'heals of delivery': {
      query: (db) => deliveryDays(db, { repositoryId, since: 1, now: 2 }),
      by: 'driftRecordsByEnd',
    },
    drift: {
      query: (db) => listDriftRecords(db, { repositoryId, states: ['open'] }, page),
      by: 'driftRecordsByRepository',
    },
    'all drift': { query: (db) => listDriftRecords(db, { repositoryId }, page), by: 'driftRecordsByRepository' },
    'drift of an environment': {
      query: (db) => listDriftRecords(db, { repositoryId, environment: 'a', states: ['open'] }, page),
      by: 'driftRecordsByEnvironment',
    },
    'drift of a stack': {
      query: (db) => listDriftRecords(db, { repositoryId, stackId }, page),
      by: 'driftRecordsByStack',
    },
    'standing drift': { query: (db) => standingDrift(db, stackId), by: 'driftRecordsByStack' },
    'open drift of many': { query: (db) => countOpenDrift(db, [stackId, 'stack_b']), by: 'driftRecordsByStack' },
    'merge requests': { query: (db) => listMergeRequests(db, { repositoryId }, page), by: 'mergeRequestsByRepository' },
    'open merge requests': {
      query: (db) => listMergeRequests(db, { repositoryId, states: ['open', 'merging'] }, page),
      by: 'mergeRequestsByState',
    },
    'merge requests of a branch': {
      query: (db) => listMergeRequests(db, { repositoryId, sourceBranch: 'b' }),
      by: 'mergeRequestsByBranch',
    },
    quarantine: { query: (db) => listQuarantine(db, { repositoryId }), by: 'quarantineStanding' },
    'quarantine of many': { query: (db) => findQuarantines(db, new Map([['s', 'd']])), by: 'quarantineByDigest' },
    'the next task': { query: (db) => nextTaskAt(db), by: 'tasksDue' },
    'a task': { query: (db) => takeTask(db, 1, 'server_1'), by: 'tasksDue' },
    'why a task was put off': { query: (db) => whyPutOff(db, { key: 'k', kinds: ['a'] }), by: 'tasksPutOff' },
    audit: { query: (db) => listAudit(db, {}, { cursor: '1:1' }), by: 'sqlite_autoindex_audit_1' },
    'audit of a repository': { query: (db) => listAudit(db, { repositoryId }), by: 'auditByRepository' },
    'audit by subject': { query: (db) => listAudit(db, { subject: 's', action: 'a' }), by: 'auditBySubject' },
    'audit by actor': { query: (db) => listAudit(db, { actor: 'user:a', repositoryId }), by: 'auditByActor' },
    'audit by action': { query: (db) => listAudit(db, { action: 'mr.merge' }), by: 'auditByAction' },
    'audit by kind of action': { query: (db) => listAudit(db, { action: 'mr.' }), by: 'auditByAction' },
    'audit by time': {
      query: (db) => listAudit(db, { from: 1, until: 2, repositoryId }, { cursor: '2:2' }),
      by: 'auditByTime',
    },
  }

  it.each(Object.keys(LISTS))('%s leads through an index', async (name) => {
    const { query, by } = LISTS[name]!
    const plans = await plansOf(query)
    const scans = plans.filter((plan) =>
      GROWING.some((table) => plan === `SCAN ${table}` || plan.startsWith(`SCAN ${table} USING INDEX`)),
    )
    expect(scans, plans.join('\n')).toEqual([])
    expect(
      plans.filter((plan) => plan.includes(by)),
      plans.join('\n'),
    ).not.toEqual([])
  })

  it.each(['drift', 'all drift', 'drift of an environment', 'drift of a stack'])(
    '%s reads no rows beside those whose ids it has found',
    async (name) => {
      const plans = await plansOf(LISTS[name]!.query)
      expect(plans.filter((plan) => plan.includes('driftRecords') && !plan.includes('COVERING'))).toEqual([
        expect.stringMatching(/\(id=\?\)$/),
      ])
    },
  )

  it('of a look at who comes next leads through an index', async () => {
    const plans = await plansOf((db) => nextInLine(db, 'default', { now: 1, programs: ['tofu', 'helm'] }))
    expect(plans.filter((plan) => plan.startsWith('SCAN'))).toEqual([])
  })

  it.each([
    ['a worker', { workerId: 'w' }],
    ['a run', { runId: 'r' }],
    ['stacks', { stackIds: ['s'] }],
    ['all', {}],
  ])('of the runs of %s that newer changes wait for leads through an index', async (_whose, only) => {
    const plans = await plansOf((db) => replacedRuns(db, only, 1))
    expect(plans.filter((plan) => plan.startsWith('SCAN'))).toEqual([])
  })

  it('of a claim and of its repetition leads through an index', async () => {
    const claim = { workerId: 'w', pools: ['default'], request: 'r', leaseMs: 1, now: 1 }
    const plans = await plansOf((db) => claimRun(db as Tx, claim))
    expect(plans.filter((plan) => plan.startsWith('SCAN'))).toEqual([])
    expect(plans.some((plan) => plan.includes('runsHeld'))).toBe(true)
  })
})
