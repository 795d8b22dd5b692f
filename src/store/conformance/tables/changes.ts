import { expect, it } from 'vitest'
import { createComment, listComments, patchComment } from '../../changes/comments.ts'
import { findMergeRequestByNumber, listMergeRequests, patchMergeRequest } from '../../changes/merge-requests.ts'
import { deleteRef, getRef, listRefs, pushersOf, recordPusher, setRef } from '../../changes/refs.ts'
import {
  createRepository,
  findRepositoryByName,
  listRepositories,
  patchRepository,
  takeMergeSequence,
  takeMrNumber,
} from '../../changes/repositories.ts'
import { createReview, listReviews, patchReview } from '../../changes/reviews.ts'
import { createUser } from '../../people/users.ts'
import { type Bench, refusal } from '../bench.ts'
import { OID, handsOn } from './hands.ts'

export function changeTables(bench: () => Bench): void {
  const { db, write, user, mergeRequest } = handsOn(bench)

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
}
