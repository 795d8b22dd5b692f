import { describe, expect, it } from 'vitest'
import { listComments } from '../../store/changes/comments.ts'
import { listReviews } from '../../store/changes/reviews.ts'
import { NO_OID } from '../../git/repository.ts'
import { healNow } from '../drift/actions.ts'
import { syncRefs } from '../changes/ref-sync.ts'
import { cancelRun } from '../runs/actions.ts'
import { retryRun } from '../runs/retry.ts'
import {
  approve,
  audited,
  configOf,
  judged,
  land,
  merge,
  mrOf,
  propose,
  runsOf,
  stackOf,
  unmet,
} from '../testing/flows.ts'
import { applyOne, leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { previewsOf } from './previews.ts'

const CONFIG = configOf({ a: {}, b: {} })
const KEY = 'production/a'

describe('a merge request', () => {
  const { harness, world } = useWorld({
    files: { 'trueup.yaml': CONFIG, 'a/value': '1', 'b/value': '1', 'README.md': 'hello' },
  })
  const previews = () => runsOf(harness, { kind: 'preview' })
  const standing = async (id: string) =>
    (await listReviews(harness.store.db, id)).filter((review) => review.droppedAt === null)

  it('plans what it changes and nothing else, and says nothing about stacks that are not merged', async () => {
    const mr = await propose(harness, 'two', {
      'a/value': '2',
      'trueup.yaml': configOf({ a: {}, b: {}, fresh: {} }),
      'fresh/value': '1',
    })
    await world.work()
    expect(Object.keys(previewsOf(await mrOf(harness, mr.id))).sort()).toEqual([KEY, 'production/fresh'])
    expect(await stackOf(harness, 'production/fresh')).toMatchObject({ status: 'new', removedAt: expect.any(Number) })
    const comments = (await listComments(harness.store.db, mr.id)).filter((comment) => comment.marker === 'plan')
    expect(comments).toHaveLength(1)
    expect(comments[0]!.body).toContain('production')
  })

  it('never changes what stands of a stack before it is merged', async () => {
    const before = (await stackOf(harness, KEY)).config
    await propose(harness, 'two', {
      'trueup.yaml': configOf({ a: { drift: { mode: 'enforce' }, ignore: [{ address: '*', attribute: '*' }] }, b: {} }),
    })
    await world.work()
    expect((await stackOf(harness, KEY)).config).toEqual(before)
  })

  it('keeps its plans and approvals over a push that changes no desired state', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await harness.push('two', { 'README.md': 'hello again' })
    await world.work()
    expect(await previews()).toHaveLength(1)
    expect(await standing(mr.id)).toHaveLength(1)
    expect(await unmet(harness, mr.id)).toEqual([])
    expect((await mrOf(harness, mr.id)).headOid).not.toBe(mr.headOid)
  })

  it('loses its approvals to a push that changes the plan', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await harness.push('two', { 'a/value': '3' })
    expect(await unmet(harness, mr.id)).toContain('plans')
    await world.work()
    expect(await standing(mr.id)).toEqual([])
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('keeps an approval where the new plan is the one that was approved', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await harness.push('two', { 'a/value': '3' })
    await harness.push('two', { 'a/value': '2' })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual([])
  })

  it('takes back previews that a newer head has overtaken, queued or under way', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await harness.push('two', { 'a/value': '3' })
    expect((await previews()).map((run) => run.state)).toEqual(['queued', 'superseded'])
    const grant = (await leaseOne(harness))!
    await harness.push('two', { 'a/value': '4' })
    const beat = await harness.engine.worker.call(harness.workerId, 'heartbeat', {
      runs: [{ runId: grant.runId, fence: grant.fence }],
    })
    expect(beat.cancel).toEqual([grant.runId])
    expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'stop', reason: 'newer_preview' })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
    expect((await previews()).map((run) => run.state)).toEqual(['succeeded', 'canceled', 'superseded'])
  })

  it('follows a force-push', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    const main = await harness.git.resolve('refs/heads/main')
    const other = await harness.git.commitFiles({
      parent: main,
      message: 'Another way',
      author: { name: 'author', email: 'author@example.test', at: harness.clock.now() },
      files: [{ path: 'b/value', content: Buffer.from('7') }],
    })
    await harness.git.updateRef('refs/heads/two', other, mr.headOid)
    await syncRefs(harness.engine.parts, harness.repositoryId)
    await world.work()
    const now = await mrOf(harness, mr.id)
    expect(now.headOid).toBe(other)
    expect(Object.keys(previewsOf(now))).toEqual(['production/b'])
  })

  it('names its conflicts, and plans again when they are resolved', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await harness.push('main', { 'a/value': '9' })
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ conflicts: ['a/value'], mergeTreeOid: null })
    expect(await unmet(harness, mr.id)).toContain('conflicts')
    await expect(merge(harness, mr.id, { bypassReason: 'now' })).rejects.toMatchObject({ code: 'MR_CONFLICT' })
    const [main, two] = [await harness.git.resolve('refs/heads/main'), await harness.git.resolve('refs/heads/two')]
    const resolved = await harness.git.commitTree({
      tree: (await harness.git.commit(two!)).tree,
      parents: [two!, main!],
      message: 'Merge main',
      author: { name: 'author', email: 'author@example.test', at: harness.clock.now() },
    })
    await harness.git.updateRef('refs/heads/two', resolved, two!)
    await syncRefs(harness.engine.parts, harness.repositoryId)
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ conflicts: null })
    expect(await unmet(harness, mr.id)).not.toContain('conflicts')
  })

  it('does not merge as a draft', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' }, { draft: true })
    await world.work()
    await approve(harness, mr.id)
    await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
    await harness.forge.changes.edit(mr.id, harness.users.author.id, { draft: false })
    await merge(harness, mr.id)
  })

  it('is closed and reopened, and plans again only what it has to', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await harness.forge.changes.close(mr.id, 'user:x', 'not now')
    await harness.settle()
    expect((await previews()).map((run) => run.state)).toEqual(['superseded'])
    await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'CONFLICT' })
    await harness.forge.changes.reopen(mr.id, 'user:x')
    await world.work()
    await harness.forge.changes.close(mr.id, 'user:x', 'not now')
    await harness.forge.changes.reopen(mr.id, 'user:x')
    await world.work()
    expect((await previews()).map((run) => run.state)).toEqual(['succeeded', 'superseded'])
  })

  it('is reopened with the head that was reviewed, so that nothing pushed meanwhile merges by old plans', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await harness.forge.changes.close(mr.id, 'user:x', 'not now')
    await harness.push('two', { 'a/value': 'evil' })
    expect(await harness.forge.changes.reopen(mr.id, 'user:x')).toMatchObject({ headOid: mr.headOid })
    await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('is not reopened beside another one of its branch, or with nothing to merge', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    const reopen = () => harness.forge.changes.reopen(mr.id, 'user:x')
    await harness.forge.changes.close(mr.id, 'user:x', 'not now')
    const other = await propose(harness, 'two', { 'a/value': '3' })
    await expect(reopen()).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: `!${other.number} is open for the same branch` },
    })
    await merge(harness, other.id, { bypassReason: 'test' })
    await expect(reopen()).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: expect.stringContaining('no commit') },
    })
  })

  it('is closed when its branch is deleted', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await harness.removeBranch('two')
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'closed' })
    expect((await previews()).map((run) => run.state)).toEqual(['superseded'])
    await expect(harness.forge.changes.reopen(mr.id, 'user:x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is closed when its target branch is deleted', async () => {
    await harness.push('release', { 'README.md': 'release' })
    await harness.push('two', { 'a/value': '2' })
    const mr = await harness.forge.changes.open({
      repositoryId: harness.repositoryId,
      sourceBranch: 'two',
      targetBranch: 'release',
      title: 'x',
      description: '',
      authorId: harness.users.author.id,
    })
    await harness.removeBranch('release')
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'closed' })
    await expect(harness.forge.changes.reopen(mr.id, 'user:x')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      text: { why: 'the branch "release" is gone' },
    })
  })

  it('is closed when the target has all of its commits by another way', async () => {
    const one = await propose(harness, 'one', { 'a/value': '2' })
    await harness.git.updateRef('refs/heads/more', (await harness.git.resolve('refs/heads/one'))!, NO_OID)
    const more = await propose(harness, 'more', { 'b/value': '2' })
    await merge(harness, more.id, { bypassReason: 'test' })
    await world.work()
    expect(await mrOf(harness, more.id)).toMatchObject({ state: 'merged' })
    expect(await mrOf(harness, one.id)).toMatchObject({ state: 'closed' })
    expect((await audited(harness, 'mr.close'))[0]!.data).toEqual({ reason: '"main" has all of its commits already' })
  })

  it('says why it cannot be planned when its branch has nothing in common with the target', async () => {
    const stray = await harness.git.commitFiles({
      parent: null,
      message: 'Begin elsewhere',
      author: { name: 'author', email: 'author@example.test', at: harness.clock.now() },
      files: [{ path: 'stray', content: Buffer.from('x') }],
    })
    await harness.git.updateRef('refs/heads/stray', stray, NO_OID)
    const mr = await propose(harness, 'stray', { more: 'x' })
    const { outcome } = await judged(harness, mr.id)
    expect(outcome.requirements.find(({ satisfied }) => !satisfied)).toMatchObject({
      message: expect.stringContaining('no commit in common'),
      next: expect.stringContaining('Rebase'),
    })
  })

  it('is one for two branches, however often it is opened, and none without a commit', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    expect((await propose(harness, 'two', { 'a/value': '3' })).id).toBe(mr.id)
    await harness.git.updateRef('refs/heads/same', (await harness.git.resolve('refs/heads/main'))!, NO_OID)
    const open = (sourceBranch: string) =>
      harness.forge.changes.open({
        repositoryId: harness.repositoryId,
        sourceBranch,
        targetBranch: 'main',
        title: 'x',
        description: '',
        authorId: harness.users.author.id,
      })
    await expect(open('same')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(open('none')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(open('main')).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })

  it('merges as one commit when squashed, in the name of its author', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await harness.push('two', { 'b/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    const { mergeOid } = await merge(harness, mr.id, { squash: true })
    const commit = await harness.git.commit(mergeOid!)
    expect(commit).toMatchObject({
      parents: [mr.targetOid],
      author: { name: 'author' },
      committer: { name: 'reviewer' },
    })
    expect(commit.message).toBe(
      `Change two\n\nMerge-Request: !${mr.number}\nTrueup-Repository: shop\nTrueup-Branch: main\n`,
    )
    await world.work()
    expect(world.applied.sort()).toEqual(['production/a=2', 'production/b=2'])
  })

  it('counts threads on lines until they are resolved', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    const comment = { mrId: mr.id, authorId: harness.users.reviewer.id, body: 'why?' }
    await harness.forge.comments.add(comment)
    const thread = await harness.forge.comments.add({ ...comment, path: 'a/value', line: 1 })
    const answer = await harness.forge.comments.add({ ...comment, body: 'because', threadId: thread.id })
    const threads = async () =>
      (await judged(harness, mr.id)).outcome.requirements.find((requirement) => requirement.name === 'threads')
    expect(await threads()).toMatchObject({ satisfied: false, blocking: false, message: '1 unresolved thread' })
    await expect(harness.forge.comments.add({ ...comment, threadId: answer.id })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    const resolve = { mrId: mr.id, threadId: thread.id, userId: harness.users.author.id, resolved: true }
    await harness.forge.comments.resolve(resolve)
    expect(await threads()).toMatchObject({ satisfied: true })
  })

  it('is not planned again by a merge elsewhere, and is by one that moves its stack', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await land(harness, world, 'elsewhere', { 'b/value': '2' })
    await world.work()
    expect((await previews()).filter((run) => run.mrId === mr.id)).toHaveLength(1)
    expect(await unmet(harness, mr.id)).toEqual([])

    await land(harness, world, 'here', { 'a/other': 'x' })
    await world.work()
    expect((await previews()).filter((run) => run.mrId === mr.id).length).toBeGreaterThan(1)
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('is planned again after the deployment of another MR on its stack, and its stale approval is dropped', async () => {
    const first = await propose(harness, 'first', { 'a/value': '2' })
    const second = await propose(harness, 'second', { 'a/extra': 'x' })
    await world.work()
    await approve(harness, first.id)
    await approve(harness, second.id)
    await merge(harness, first.id)
    await world.work()
    expect(await standing(second.id)).toEqual([])
    const { runId } = previewsOf(await mrOf(harness, second.id))[KEY]!
    const [run] = (await previews()).filter((preview) => preview.id === runId)
    // What the first one has deployed is not the second one's change any more.
    expect(run).toMatchObject({ state: 'succeeded', plan: { changes: [] } })
    await approve(harness, second.id)
    await merge(harness, second.id)
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('is planned again after a run has left its stack half-way', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    await world.work()
    const before = previewsOf(await mrOf(harness, mr.id))[KEY]!.runId
    const stackId = (await stackOf(harness, KEY)).id
    world.things.set(KEY, 'drifted')
    await healNow(harness.engine.parts, { stackId, actorId: harness.users.second.id })
    const grant = (await leaseOne(harness))!
    await planOne(harness, grant, world.script)
    await applyOne(harness, grant, { ...world.script, apply: () => ({ status: 'canceled' }) })
    const held = { runId: grant.runId, fence: grant.fence }
    await harness.engine.worker.call(harness.workerId, 'finish', { ...held, status: 'canceled', verify: [] })
    await world.work()
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'failed' })
    const after = previewsOf(await mrOf(harness, mr.id))[KEY]!.runId
    expect(after).not.toBe(before)
    const [anew] = (await runsOf(harness, { kind: 'preview' })).filter((run) => run.id === after)
    expect(anew!.plan!.changes).toMatchObject([{ attributes: [{ before: 'drifted', after: '2' }] }])
  })

  it('shows a preview that failed, and plans it once more when asked', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    const grant = (await leaseOne(harness))!
    const held = { runId: grant.runId, fence: grant.fence }
    const error = { code: 'TOOL_FAILED', doing: 'planning', why: 'syntax error', next: 'read' }
    await harness.engine.worker.call(harness.workerId, 'finish', { ...held, status: 'failed', verify: [], error })
    await world.work()
    expect(await unmet(harness, mr.id)).toContain('plans')
    expect(await previews()).toHaveLength(1)
    const again = await retryRun(harness.engine.parts, { runId: grant.runId, actorId: harness.users.author.id })
    expect(again).toMatchObject({ kind: 'preview', state: 'queued' })
    await world.work()
    expect(await unmet(harness, mr.id)).toEqual(['approvals'])
  })

  it('lets a person cancel a preview for good', async () => {
    const mr = await propose(harness, 'two', { 'a/value': '2' })
    const [run] = await previews()
    await cancelRun(harness.engine.parts, { runId: run!.id, actorId: harness.users.author.id })
    await world.work()
    expect(await previews()).toHaveLength(1)
    expect(await unmet(harness, mr.id)).toContain('plans')
  })
})
