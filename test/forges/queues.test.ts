import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configOf, runsOf } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber } from '../../src/store/changes/merge-requests.ts'
import { type GitHubDouble, startGitHubDouble } from './github/double.ts'
import { now } from './github/state.ts'
import { type GitLabDouble, startGitLabDouble } from './gitlab/double.ts'
import { now as nowThere } from './gitlab/state.ts'
import type { ConnectedWorld } from './subjects/connected.ts'
import { githubWorld, placeOfGitHub } from './subjects/github.ts'
import { gitlabWorld, placeOfGitLab } from './subjects/gitlab.ts'

let there: ConnectedWorld
let world: World
let double: GitHubDouble | GitLabDouble
const rules = { production: { tier: 'production', approvals: { required: 1 } } }
async function begin(): Promise<void> {
  world = createWorld(there.harness)
  const files = { 'trueup.yaml': configOf({ a: {}, b: {} }, { environments: rules }), 'a/value': '1', 'b/value': '1' }
  await there.push('main', files)
  await there.look()
  await world.adopt()
}
async function end(): Promise<void> {
  await there?.stop()
  await double?.close()
}
const seen = async (): Promise<void> => {
  await there.look()
  await world.work()
  await there.look()
}
async function propose(branch: string, files: { [path: string]: string }): Promise<number> {
  await there.push(branch, files)
  const number = await there.as('author').open({ sourceBranch: branch, title: `Change ${branch}` })
  await seen()
  return number
}
const statuses = async (oid: string) =>
  Object.fromEntries((await there.statuses(oid)).map(({ name, state }) => [name, state]))
/** What a forge tries: the merge of a head with what stands before it. */
async function tryOn(base: string, branch: string): Promise<string> {
  const { git } = double
  const tree = (await git.mergeTree(base, (await git.tip(branch))!))!
  return await git.git('commit-tree', tree, '-p', base, '-p', (await git.tip(branch))!, '-m', `Try ${branch}`)
}
const mrAt = async (number: number) =>
  (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!
const waiting = () => runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })

describe('a merge queue of GitHub', { timeout: 240_000 }, () => {
  let github: GitHubDouble
  beforeAll(async () => {
    double = github = await startGitHubDouble()
    there = await githubWorld(placeOfGitHub(github))
    await begin()
  }, 120_000)
  afterAll(end)

  it('gets the statuses of each head, does not wait for people, and is enacted in its order', async () => {
    const first = await propose('first', { 'a/value': '2' })
    const second = await propose('second', { 'b/value': '2' })
    await there.as('reviewer').review(first, 'approve', '')
    await seen()
    const { git, state } = github
    const main = (await git.tip('main'))!
    const one = await tryOn(main, 'first')
    const two = await tryOn(one, 'second')
    await git.move(`gh-readonly-queue/main/pr-${first}-${main}`, one)
    await git.move(`gh-readonly-queue/main/pr-${second}-${one}`, two)
    // Named like them by somebody who may push, with something else in it.
    const other = await git.git('commit-tree', `${main}^{tree}`, '-p', main, '-m', 'Other')
    await git.move(`gh-readonly-queue/other/pr-${first}-${main}`, other)
    await seen()
    expect(await statuses(one)).toEqual({ 'trueup/production': 'success', 'trueup/gate': 'success' })
    expect(await statuses(two)).toEqual({ 'trueup/production': 'success', 'trueup/gate': 'failure' })
    expect(await statuses(other)).toEqual({})
    // On its own head it still waits for an approval.
    expect(await statuses((await git.tip('second'))!)).toMatchObject({ 'trueup/gate': 'pending' })

    // Out of the queue, approved and in it again: on the same base the commit may be the same.
    await there.as('reviewer').review(second, 'approve', '')
    await seen()
    expect(await statuses(two)).toEqual({ 'trueup/production': 'success', 'trueup/gate': 'success' })
    for (const [number, sha] of [
      [first, one],
      [second, two],
    ] as const) {
      const by = state.users.find(({ login }) => login === 'second')!
      Object.assign(state.pulls.find((pull) => pull.number === number)!, {
        state: 'closed',
        merged: { sha, by, at: now(state) },
      })
    }
    await git.move('main', two, main)
    for (const name of [...(await git.branches()).keys()].filter((each) => each.startsWith('gh-readonly')))
      await git.move(name, null)
    await seen()
    const merged = [await mrAt(first), await mrAt(second)]
    expect(merged.map(({ state: its, mergeOid }) => [its, mergeOid])).toEqual([
      ['merged', one],
      ['merged', two],
    ])
    expect(merged[1]!.mergeSequence).toBe(merged[0]!.mergeSequence! + 1)
    expect(await waiting()).toEqual([])
    expect([world.things.get('production/a'), world.things.get('production/b')]).toEqual(['2', '2'])
  })
})

describe('a merge train of GitLab', { timeout: 240_000 }, () => {
  let gitlab: GitLabDouble
  beforeAll(async () => {
    double = gitlab = await startGitLabDouble()
    there = await gitlabWorld(placeOfGitLab(gitlab))
    Object.assign(gitlab.state.settings, { merge_trains_enabled: true, merge_pipelines_enabled: true })
    await begin()
  }, 120_000)
  afterAll(end)

  it('gets the statuses of each car in its pipeline, and of merged results', async () => {
    const first = await propose('first', { 'a/value': '2' })
    const second = await propose('second', { 'b/value': '2' })
    const { git, state } = gitlab
    const main = (await git.tip('main'))!
    const pipeline = (iid: number, sha: string, of: 'merge' | 'train') =>
      state.pipelines.push({ id: state.pipelines.length + 70, iid, sha, ref: `refs/merge-requests/${iid}/${of}` })
    const result = await tryOn(main, 'first')
    pipeline(first, result, 'merge')
    await seen()
    // There people may still approve.
    expect(await statuses(result)).toEqual({ 'trueup/production': 'success', 'trueup/gate': 'pending' })
    await there.as('reviewer').review(first, 'approve', '')
    await seen()
    expect(await statuses(result)).toMatchObject({ 'trueup/gate': 'success' })
    const one = await git.git('commit-tree', `${result}^{tree}`, '-p', main, '-m', 'Car one')
    const two = await tryOn(one, 'second')
    pipeline(first, one, 'train')
    pipeline(second, two, 'train')
    await seen()
    expect(await statuses(one)).toEqual({ 'trueup/production': 'success', 'trueup/gate': 'success' })
    expect(await statuses(two)).toEqual({ 'trueup/production': 'success', 'trueup/gate': 'failed' })
    expect(state.statuses.filter(({ sha }) => sha === one).map(({ pipeline_id }) => pipeline_id)).toEqual([71, 71])
    // It arrives.
    await git.move('main', one, main)
    const mr = state.mrs.find(({ iid }) => iid === first)!
    const by = state.users.find(({ username }) => username === 'second')!
    Object.assign(mr, { state: 'merged', merged: { mergeSha: one, squashSha: null, by, at: nowThere(state) } })
    state.pipelines = []
    await seen()
    expect(await mrAt(first)).toMatchObject({ state: 'merged', mergeOid: one })
    expect(await waiting()).toEqual([])
    expect(world.things.get('production/a')).toBe('2')
  })
})
