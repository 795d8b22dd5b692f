import { expect, it } from 'vitest'
import { createComment, listComments, patchComment } from '../changes/comments.ts'
import { createDeployment, findDeploymentByRun, listDeployments } from '../stacks/deployments.ts'
import {
  createDriftRecord,
  healsSince,
  listDriftRecords,
  patchDriftRecord,
  recordHeals,
  standingDrift,
} from '../stacks/drift.ts'
import { activeFreezes, createFreeze, liftFreeze } from '../stacks/freezes.ts'
import { deleteIdempotentAnswers, findIdempotentAnswer, saveIdempotentAnswer } from '../idempotency.ts'
import { listMembers, membershipsOf, removeMember, roleIn, setMember } from '../people/members.ts'
import {
  createMergeRequest,
  findMergeRequestByNumber,
  listMergeRequests,
  patchMergeRequest,
} from '../changes/merge-requests.ts'
import { listOutputs, setOutputs } from '../stacks/outputs.ts'
import { createQuarantine, findQuarantine, liftQuarantine, listQuarantine } from '../stacks/quarantine.ts'
import { deleteRef, getRef, listRefs, pushersOf, recordPusher, setRef } from '../changes/refs.ts'
import {
  createRepository,
  findRepositoryByName,
  listRepositories,
  patchRepository,
  takeMergeSequence,
  takeMrNumber,
} from '../changes/repositories.ts'
import { createReview, listReviews, patchReview } from '../changes/reviews.ts'
import {
  allStacks,
  countStacksByStatus,
  findStack,
  listStacks,
  nextDriftAt,
  patchStack,
  stacksDueForDrift,
  upsertStack,
} from '../stacks/stacks.ts'
import {
  createStateVersion,
  freeStateLock,
  latestStateVersion,
  listStateVersions,
  listStateWorkspaces,
  pruneStateVersions,
  takeStateLock,
} from '../stacks/state.ts'
import { addTeamMember, createTeam, removeTeamMember, teamMembers, teamsOfUser } from '../people/teams.ts'
import { createToken, findTokenByHash, listTokens, revokeToken, touchToken } from '../people/tokens.ts'
import { countUsers, createUser, findUserByEmail, findUserByName, listUsers, patchUser } from '../people/users.ts'
import { deleteVariable, listVariables, setVariable } from '../stacks/variables.ts'
import {
  createEnrolment,
  createWorker,
  findWorkerByName,
  patchWorker,
  revokeWorker,
  touchWorker,
  useEnrolment,
} from '../workers/workers.ts'
import type { Queries } from '../database/context.ts'
import { type Bench, refusal } from './bench.ts'

const OID = 'a'.repeat(40)
const SUMMARY = { create: 1, update: 0, delete: 0, replace: 0, other: 0 }

export function tableConformance(bench: () => Bench): void {
  const db = () => bench().store.db
  const write = <T>(work: (tx: Queries) => Promise<T>): Promise<T> => bench().store.transaction(work)
  const user = (name: string) => write((tx) => createUser(tx, { name, email: `${name}@example.org`, kind: 'member' }))
  const mergeRequest = (number: number, sourceBranch = `branch-${number}`) =>
    write((tx) =>
      createMergeRequest(tx, {
        repositoryId: bench().repository.id,
        number,
        title: 'Widen the subnet',
        description: '',
        sourceBranch,
        targetBranch: 'main',
        headOid: OID,
        targetOid: OID,
        draft: false,
        authorId: 'user_1',
      }),
    )

  it('repositories: unique names, counters that are used up', async () => {
    const { repository, store } = bench()
    const again = write((tx) => createRepository(tx, { name: 'shop', defaultBranch: 'main', hashKeySealed: '' }))
    await refusal(again, 'CONFLICT')
    expect(await findRepositoryByName(db(), 'shop')).toEqual(repository)
    const numbers = await Promise.all([1, 2, 3].map(() => store.transaction((tx) => takeMrNumber(tx, repository.id))))
    expect(new Set(numbers)).toEqual(new Set([1, 2, 3]))
    expect(await write((tx) => takeMergeSequence(tx, repository.id))).toBe(1)
    await refusal(
      write((tx) => takeMrNumber(tx, 'repo_none')),
      'NOT_FOUND',
    )
    expect((await write((tx) => patchRepository(tx, repository.id, { name: 'store' }))).name).toBe('store')
    await refusal(
      write((tx) => patchRepository(tx, 'repo_none', { name: 'x' })),
      'NOT_FOUND',
    )
    expect((await listRepositories(db())).items.map((listed) => listed.name)).toEqual(['store'])
  })

  it('users, teams and members', async () => {
    const { repository } = bench()
    expect(await countUsers(db())).toBe(0)
    const [ada, bob] = [await user('ada'), await user('bob')]
    expect(await countUsers(db())).toBe(2)
    await refusal(user('ada'), 'CONFLICT')
    expect(await findUserByName(db(), 'ada')).toEqual(ada)
    expect(await findUserByEmail(db(), 'bob@example.org')).toEqual(bob)
    expect((await write((tx) => patchUser(tx, bob.id, { disabledAt: 5 }))).disabledAt).toBe(5)
    expect((await listUsers(db(), { limit: 1 })).items).toEqual([ada])
    const team = await write((tx) => createTeam(tx, { name: 'platform' }))
    await write((tx) => addTeamMember(tx, team.id, ada.id))
    await write((tx) => addTeamMember(tx, team.id, ada.id))
    expect(await teamMembers(db(), team.id)).toEqual([ada.id])
    expect(await teamsOfUser(db(), ada.id)).toEqual([team])
    await write((tx) => removeTeamMember(tx, team.id, ada.id))
    expect(await teamsOfUser(db(), ada.id)).toEqual([])
    const member = { repositoryId: repository.id, userId: ada.id }
    await write((tx) => setMember(tx, { ...member, role: 'reader' }))
    await write((tx) => setMember(tx, { ...member, role: 'deployer' }))
    expect(await roleIn(db(), repository.id, ada.id)).toBe('deployer')
    expect(await roleIn(db(), repository.id, bob.id)).toBeNull()
    expect(await listMembers(db(), repository.id)).toEqual(await membershipsOf(db(), ada.id))
    await write((tx) => removeMember(tx, repository.id, ada.id))
    expect(await listMembers(db(), repository.id)).toEqual([])
  })

  it('tokens: found by hash, touched, revoked once', async () => {
    const { clock } = bench()
    const ada = await user('ada')
    const token = await write((tx) => createToken(tx, { userId: ada.id, name: 'laptop', hash: 'h1', scopes: 'read' }))
    await refusal(
      write((tx) => createToken(tx, { userId: ada.id, name: 'b', hash: 'h1', scopes: '' })),
      'CONFLICT',
    )
    await touchToken(db(), token.id)
    expect(await findTokenByHash(db(), 'h1')).toEqual({ ...token, lastUsedAt: clock.now() })
    const revoked = await write((tx) => revokeToken(tx, token.id))
    clock.advance(10)
    expect(await write((tx) => revokeToken(tx, token.id))).toEqual(revoked)
    expect(await listTokens(db(), ada.id)).toEqual([revoked])
  })

  it('refs', async () => {
    const { repository } = bench()
    await write((tx) => setRef(tx, repository.id, 'refs/heads/main', OID))
    await write((tx) => setRef(tx, repository.id, 'refs/heads/main', 'b'.repeat(40)))
    expect((await getRef(db(), repository.id, 'refs/heads/main'))?.oid).toBe('b'.repeat(40))
    expect(await listRefs(db(), repository.id)).toHaveLength(1)
    await write((tx) => deleteRef(tx, repository.id, 'refs/heads/main'))
    expect(await listRefs(db(), repository.id)).toEqual([])
  })

  it('pushers: each once, of exactly these commits', async () => {
    const { repository } = bench()
    const ada = await write((tx) => createUser(tx, { name: 'pusher', email: 'p@example.test', kind: 'member' }))
    for (const oid of [OID, OID, 'c'.repeat(40)]) await write((tx) => recordPusher(tx, repository.id, oid, ada.id))
    expect(await pushersOf(db(), repository.id, [OID, 'c'.repeat(40)])).toEqual([ada.id])
    expect(await pushersOf(db(), repository.id, ['d'.repeat(40)])).toEqual([])
    expect(await pushersOf(db(), repository.id, [])).toEqual([])
  })

  it('merge requests: one number once, one open one for two branches, members parsed', async () => {
    const { repository, clock } = bench()
    const mr = await mergeRequest(1)
    expect(mr).toMatchObject({ state: 'open', draft: false, conflicts: null, mergeSequence: null })
    await refusal(mergeRequest(1, 'other'), 'CONFLICT')
    await refusal(mergeRequest(2, 'branch-1'), 'CONFLICT')
    clock.advance(5)
    const patched = await write((tx) =>
      patchMergeRequest(tx, mr.id, { draft: true, conflicts: ['a.tf'], previews: { x: 1 }, state: 'closed' }),
    )
    expect(patched).toMatchObject({ draft: true, conflicts: ['a.tf'], previews: { x: 1 }, updatedAt: clock.now() })
    expect((await write((tx) => patchMergeRequest(tx, mr.id, { conflicts: null }))).conflicts).toBeNull()
    const second = await mergeRequest(2, 'branch-1')
    expect(await findMergeRequestByNumber(db(), repository.id, 2)).toEqual(second)
    const ids = async (filter: Parameters<typeof listMergeRequests>[1]) =>
      (await listMergeRequests(db(), filter)).items.map((listed) => listed.number)
    expect(await ids({})).toEqual([2, 1])
    expect(await ids({ states: ['open', 'merging'], sourceBranch: 'branch-1' })).toEqual([2])
    expect(await ids({ ids: [mr.id] })).toEqual([1])
    await write((tx) => patchMergeRequest(tx, mr.id, { mergeOid: OID }))
    expect(await ids({ mergeOid: OID })).toEqual([1])
  })

  it('reviews and comments', async () => {
    const mr = await mergeRequest(1)
    const ada = await user('ada')
    const review = await write((tx) =>
      createReview(tx, {
        mrId: mr.id,
        userId: ada.id,
        verdict: 'approve',
        headOid: OID,
        digests: { 'production/vpc': 'sha256:p' },
        body: '',
      }),
    )
    await write((tx) => patchReview(tx, review.id, { droppedAt: 7, droppedReason: 'plan_changed' }))
    expect(await listReviews(db(), mr.id)).toEqual([{ ...review, droppedAt: 7, droppedReason: 'plan_changed' }])
    const first = await write((tx) => createComment(tx, { mrId: mr.id, threadId: null, body: 'why?', marker: 'plan' }))
    expect(first.threadId).toBe(first.id)
    const answer = await write((tx) => createComment(tx, { mrId: mr.id, threadId: first.id, body: 'so' }))
    await refusal(
      write((tx) => createComment(tx, { mrId: mr.id, threadId: null, body: 'x', marker: 'plan' })),
      'CONFLICT',
    )
    await write((tx) => patchComment(tx, first.id, { body: 'because', resolvedAt: 3 }))
    expect((await listComments(db(), mr.id)).map((comment) => [comment.id, comment.body])).toEqual([
      [first.id, 'because'],
      [answer.id, 'so'],
    ])
  })

  it('stacks: one for an identity, found, listed, counted, due for drift', async () => {
    const { repository, stack, clock } = bench()
    const vpc = await stack('vpc')
    const identity = { repositoryId: repository.id, environment: 'production', name: 'vpc' }
    const moved = await write((tx) =>
      upsertStack(tx, { ...identity, path: 'infra/vpc', driver: 'terraform', config: { a: [1] } }),
    )
    expect(moved).toMatchObject({ id: vpc.id, path: 'infra/vpc', config: { a: [1] }, status: 'new' })
    expect(await findStack(db(), identity)).toEqual(moved)
    const app = await stack('app')
    await write((tx) =>
      patchStack(tx, app.id, { status: 'drifted', nextDriftAt: clock.now() + 10, healBackoff: { n: 1 } }),
    )
    expect(await nextDriftAt(db())).toBe(clock.now() + 10)
    expect(await stacksDueForDrift(db(), clock.now(), 10)).toEqual([])
    expect((await stacksDueForDrift(db(), clock.now() + 10, 10)).map((due) => due.id)).toEqual([app.id])
    expect((await listStacks(db(), { statuses: ['drifted'] })).items.map((listed) => listed.name)).toEqual(['app'])
    expect(await countStacksByStatus(db(), repository.id)).toEqual([
      { environment: 'production', status: 'drifted', count: 1 },
      { environment: 'production', status: 'new', count: 1 },
    ])
    await write((tx) => patchStack(tx, app.id, { removedAt: clock.now() }))
    expect((await allStacks(db(), { repositoryId: repository.id })).map((listed) => listed.name)).toEqual(['vpc'])
    expect(await allStacks(db(), { repositoryId: repository.id, removed: true })).toHaveLength(2)
    expect(await nextDriftAt(db())).toBeNull()
  })

  it('outputs are replaced as a whole', async () => {
    const vpc = await bench().stack('vpc')
    await write((tx) =>
      setOutputs(tx, vpc.id, { id: { value: 'vpc-1', sensitive: false }, old: { value: 1, sensitive: false } }),
    )
    await write((tx) => setOutputs(tx, vpc.id, { id: { value: { nested: [null] }, sensitive: true } }))
    expect(await listOutputs(db(), vpc.id)).toMatchObject([{ name: 'id', value: { nested: [null] }, sensitive: true }])
  })

  it('deployments: one a run, newest first', async () => {
    const { repository, stack, run } = bench()
    const vpc = await stack('vpc')
    const [first, second] = [await run(vpc), await run(vpc)]
    const deploy = (runId: string, status: 'succeeded' | 'failed') =>
      write((tx) =>
        createDeployment(tx, {
          stackId: vpc.id,
          repositoryId: repository.id,
          runId,
          kind: 'deploy',
          commitOid: OID,
          desiredDigest: 'd',
          status,
          summary: SUMMARY,
          finishedAt: 1,
        }),
      )
    const [one, two] = [await deploy(first.id, 'failed'), await deploy(second.id, 'succeeded')]
    await refusal(deploy(first.id, 'succeeded'), 'CONFLICT')
    expect((await listDeployments(db(), { stackId: vpc.id })).items).toEqual([two, one])
    expect((await listDeployments(db(), { status: 'failed' })).items).toEqual([one])
    expect(await findDeploymentByRun(db(), second.id)).toEqual(two)
  })

  it('drift: one open record for an attribute, heals by time', async () => {
    const { repository, stack, clock } = bench()
    const vpc = await stack('vpc')
    const record = (attribute: string) =>
      write((tx) =>
        createDriftRecord(tx, {
          stackId: vpc.id,
          address: '/etc/motd',
          attribute,
          expected: 'a',
          actual: { b: 1 },
          actions: 'update',
          state: 'open',
          since: 1,
          lastSeenAt: 1,
          healCount: 0,
          runId: 'run_1',
        }),
      )
    const content = await record('content')
    await refusal(record('content'), 'CONFLICT')
    await write((tx) => patchDriftRecord(tx, content.id, { state: 'healed', closedAt: 2 }))
    const again = await record('content')
    const mode = await record('mode')
    await write((tx) => patchDriftRecord(tx, mode.id, { state: 'accepted', acceptedReason: 'known' }))
    expect((await standingDrift(db(), vpc.id)).map((standing) => standing.id)).toEqual([again.id, mode.id])
    expect((await listDriftRecords(db(), { repositoryId: repository.id, states: ['open'] })).items).toEqual([again])
    expect((await listDriftRecords(db(), { repositoryId: 'repo_none' })).items).toEqual([])
    await write((tx) => recordHeals(tx, vpc.id, [{ address: '/etc/motd', attribute: 'content' }]))
    clock.advance(10)
    expect(await healsSince(db(), vpc.id, clock.now() - 10)).toHaveLength(1)
    expect(await healsSince(db(), vpc.id, clock.now())).toEqual([])
  })

  it('quarantine and freezes stand until lifted or over', async () => {
    const { repository, stack, clock } = bench()
    const vpc = await stack('vpc')
    const entry = await write((tx) =>
      createQuarantine(tx, {
        repositoryId: repository.id,
        stackId: vpc.id,
        commitOid: OID,
        desiredDigest: 'd',
        reason: 'r',
      }),
    )
    expect(await findQuarantine(db(), vpc.id, 'd')).toEqual(entry)
    expect(await findQuarantine(db(), vpc.id, 'e')).toBeUndefined()
    await write((tx) => liftQuarantine(tx, entry.id))
    expect(await listQuarantine(db(), { stackId: vpc.id })).toEqual([])
    const freeze = await write((tx) =>
      createFreeze(tx, {
        repositoryId: repository.id,
        environment: 'production',
        reason: 'holidays',
        createdById: 'user_1',
        until: clock.now() + 10,
      }),
    )
    expect(await activeFreezes(db(), { environment: 'production' })).toEqual([freeze])
    clock.advance(10)
    expect(await activeFreezes(db())).toEqual([])
    await write((tx) => liftFreeze(tx, freeze.id))
  })

  it('variables: one for a scope, also where the scope is everything, versions that grow', async () => {
    const { repository } = bench()
    const scope = { repositoryId: repository.id, environment: null, stack: null, name: 'TOKEN', phase: 'both' as const }
    const set = (text: string, more = {}) =>
      write((tx) =>
        setVariable(tx, { ...scope, ...more }, { secret: true, updatedById: 'user_1', seal: (id) => `${id}:${text}` }),
      )
    const first = await set('one')
    expect(first).toMatchObject({ version: 1, secret: true, valueSealed: `${first.id}:one` })
    expect(await set('two')).toMatchObject({ id: first.id, version: 2, valueSealed: `${first.id}:two` })
    await set('three', { environment: 'production' })
    expect(await listVariables(db(), repository.id)).toHaveLength(2)
    expect(await write((tx) => deleteVariable(tx, first.id))).toBe(true)
    expect(await write((tx) => deleteVariable(tx, first.id))).toBe(false)
  })

  it('Terraform state: versions once, contents as bytes, one lock', async () => {
    const vpc = await bench().stack('vpc')
    const version = (number: number) =>
      write((tx) =>
        createStateVersion(tx, {
          stackId: vpc.id,
          workspace: 'default',
          version: number,
          lineage: 'l',
          serial: number,
          md5: 'm',
          sealed: Uint8Array.from([0, 255, number]),
        }),
      )
    for (const number of [1, 2, 3]) await version(number)
    await refusal(version(3), 'CONFLICT')
    const latest = await latestStateVersion(db(), vpc.id, 'default')
    expect(latest?.version).toBe(3)
    expect([...(latest?.sealed ?? [])]).toEqual([0, 255, 3])
    const { items } = await listStateVersions(db(), vpc.id, 'default', { limit: 2 })
    expect(items.map((listed) => listed.version)).toEqual([3, 2])
    expect(items[0]).not.toHaveProperty('sealed')
    expect(await listStateWorkspaces(db(), vpc.id)).toEqual(['default'])
    expect(await write((tx) => pruneStateVersions(tx, vpc.id, 'default', 2))).toBe(1)
    const take = (lockId: string) =>
      write((tx) =>
        takeStateLock(tx, {
          stackId: vpc.id,
          workspace: 'default',
          lockId,
          info: { Who: 'ada' },
          runId: null,
          userId: null,
        }),
      )
    expect(await take('one')).toMatchObject({ taken: true })
    expect(await take('two')).toMatchObject({ taken: false, lock: { lockId: 'one', info: { Who: 'ada' } } })
    const free = (lockId: string | null) => write((tx) => freeStateLock(tx, vpc.id, 'default', lockId))
    expect(await free('two')).toBe(false)
    expect(await free('one')).toBe(true)
    await take('three')
    expect(await free(null)).toBe(true)
    expect(await free(null)).toBe(false)
  })

  it('workers enrol once and are found until revoked', async () => {
    const { clock } = bench()
    const enrol = (tokenHash: string) =>
      write((tx) => createEnrolment(tx, { tokenHash, pools: ['edge'], expiresAt: clock.now() + 10 }))
    await enrol('t1')
    expect(await write((tx) => useEnrolment(tx, 't1'))).toMatchObject({ pools: ['edge'], builtin: false })
    expect(await write((tx) => useEnrolment(tx, 't1'))).toBeNull()
    await enrol('t2')
    clock.advance(10)
    expect(await write((tx) => useEnrolment(tx, 't2'))).toBeNull()
    const make = () =>
      write((tx) =>
        createWorker(tx, { name: 'w', kind: 'runner', pools: ['edge'], publicKey: { kty: 'OKP' }, builtin: false }),
      )
    const worker = await make()
    await refusal(make(), 'CONFLICT')
    await touchWorker(db(), worker.id)
    await write((tx) => patchWorker(tx, worker.id, { info: { version: '1' } }))
    expect(await findWorkerByName(db(), 'w')).toEqual({ ...worker, lastSeenAt: clock.now(), info: { version: '1' } })
    await write((tx) => revokeWorker(tx, worker.id))
    expect(await findWorkerByName(db(), 'w')).toBeUndefined()
    await make()
  })

  it('idempotency: the first answer stays, by user', async () => {
    const { clock } = bench()
    const answer = { userId: 'user_1', key: 'k', requestHash: 'h', status: 201, response: { id: 1 } }
    expect(await write((tx) => saveIdempotentAnswer(tx, answer))).toBe(true)
    expect(await write((tx) => saveIdempotentAnswer(tx, { ...answer, status: 500 }))).toBe(false)
    expect(await findIdempotentAnswer(db(), 'user_1', 'k')).toMatchObject({ status: 201, response: { id: 1 } })
    expect(await findIdempotentAnswer(db(), 'user_2', 'k')).toBeUndefined()
    expect(await write((tx) => deleteIdempotentAnswers(tx, clock.now() + 1))).toBe(1)
  })
}
