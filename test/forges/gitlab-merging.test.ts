import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { disconnectRepository } from '../../src/engine/connections/connect.ts'
import { makersOf } from '../../src/engine/merge-requests/makers.ts'
import { rollBack } from '../../src/engine/rollback/rollback.ts'
import { configOf, stackOf } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber, patchMergeRequest } from '../../src/store/changes/merge-requests.ts'
import { type GitLabDouble, startGitLabDouble } from './gitlab/double.ts'
import type { ConnectedWorld } from './subjects/connected.ts'
import { gitlabWorld, placeOfGitLab } from './subjects/gitlab.ts'

let double: GitLabDouble
let there: ConnectedWorld
let world: World
beforeAll(async () => {
  double = await startGitLabDouble()
  there = await gitlabWorld(placeOfGitLab(double))
  world = createWorld(there.harness)
  await there.push('main', { 'trueup.yaml': configOf({ a: {} }, { environments: { production: {} } }), 'a/value': '1' })
  await there.look()
  await world.adopt()
}, 120_000)
afterAll(async () => {
  await there?.stop()
  await double?.close()
})

const mrAt = async (number: number) =>
  (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!
async function propose(branch: string, files: { [path: string]: string }) {
  await there.push(branch, files)
  const number = await there.as('author').open({ sourceBranch: branch, title: `Change ${branch}` })
  await there.look()
  await world.work()
  return await mrAt(number)
}
const how = (mr: Awaited<ReturnType<typeof mrAt>>) => ({
  mrId: mr.id,
  headOid: mr.headOid,
  targetOid: mr.targetOid,
  method: 'merge' as const,
  actorId: there.harness.users.reviewer.id,
  bypassReason: null,
  stillAsJudged: async () => true,
})

describe('a merge that GitLab is still at', { timeout: 240_000 }, () => {
  it('is waited for', async () => {
    const mr = await propose('slow', { 'a/value': '2' })
    double.state.lockedFor = 2
    expect(await there.forge.merging.merge(how(mr))).toMatchObject({
      state: 'merged',
      mergeOid: await there.tip('main'),
    })
    await there.look()
    await world.work()
  })

  it('is neither taken back nor taken for open, however long it takes', async () => {
    const mr = await propose('slower', { 'a/value': '3' })
    const { store } = there.harness
    await store.transaction((tx) =>
      patchMergeRequest(tx, mr.id, { state: 'merging', mergedById: there.harness.users.second.id }),
    )
    double.state.lockedFor = 1_000
    await there.mergeThere('second', mr.number)
    await there.look()
    expect((await mrAt(mr.number)).state).toBe('merging')
    await expect(there.forge.merging.settle(mr.id)).rejects.toMatchObject({
      code: 'FORGE_UNREACHABLE',
      text: { why: expect.stringContaining('still merging') },
    })
    expect((await mrAt(mr.number)).state).toBe('merging')
    double.state.mrs.at(-1)!.locked = 0
    await there.look()
    expect(await mrAt(mr.number)).toMatchObject({ state: 'merged', mergeOid: await there.tip('main') })
    double.state.lockedFor = 0
    await world.work()
  })
})

it('is no quick action what people write as a reason', { timeout: 120_000 }, async () => {
  const { id: stackId } = await stackOf(there.harness, 'production/a')
  const reason = 'it broke\n/approve\n  /merge\r\n/close'
  const actorId = there.harness.users.second.id
  const target = { what: 'stack', stackId } as const
  const mr = await rollBack(there.harness.engine.parts, { target, reason, actorId })
  await there.forge.changes.edit(mr.id, actorId, { description: 'Hm.\n/merge' })
  await there.forge.comments.upsert(mr.id, 'odd', '/close\nnot')
  await there.forge.comments.upsert(mr.id, 'odd', '/lock\nnot')
  expect(double.state.obeyed).toEqual([])
  expect(double.state.mrs.find(({ iid }) => iid === mr.number)?.state).toBe('opened')
  await there.as('second').close(mr.number)
  await there.look()
})

it('knows who has made each of more than a hundred commits', { timeout: 120_000 }, async () => {
  const { git } = there.harness
  const begun = await there.push('long', { long: '0' })
  const { tree } = await git.commit(begun)
  const after = (parent: string, name: string): Promise<string> =>
    git.commitTree({ tree, parents: [parent], message: 'x\n', author: { name, email: 'x@example.test', at: 0 } })
  // The first of them, which is the last that GitLab names.
  let tip = await after(begun, 'second')
  for (let count = 0; count < 104; count++) tip = await after(tip, 'nobody')
  const near = placeOfGitLab(double).near!
  expect(await git.pushBranch({ url: near.url, branch: 'long', username: '', password: '' }, tip, begun)).toBe(true)
  near.pushed('long', tip)
  const number = await there.as('author').open({ sourceBranch: 'long', title: 'Long' })
  await there.look()
  const { pusherIds } = await makersOf(there.harness.engine.parts, await mrAt(number))
  expect(pusherIds).toContain(there.harness.users.second.id)
})

it('reads CODEOWNERS as its forge does, and as the built-in one once it is that', { timeout: 120_000 }, async () => {
  const { engine, git, repositoryId, users } = there.harness
  await there.push('main', { CODEOWNERS: '* @all\n!*.md\n', '.gitlab/CODEOWNERS': '* @nobody\n' })
  await there.look()
  const owners = async () => {
    const { tree } = await git.commit((await git.resolve('refs/heads/main'))!)
    const snapshot = await engine.parts.snapshots.of(repositoryId, git, tree)
    return [snapshot.owners?.dialect, snapshot.owners?.rules.length, snapshot.owners?.problems.length]
  }
  expect(await owners()).toEqual(['gitlab', 2, 0])
  await disconnectRepository(engine.parts, { repositoryId, actorId: users.author.id })
  expect(await owners()).toEqual(['builtin', 1, 1])
})
