import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mergeRequested } from '../../src/engine/merge-requests/merge.ts'
import { configOf } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber } from '../../src/store/changes/merge-requests.ts'
import { startGiteaDouble } from './gitea/double.ts'
import { startGitHubDouble } from './github/double.ts'
import { startGitLabDouble } from './gitlab/double.ts'
import type { ConnectedWorld } from './subjects/connected.ts'
import { giteaWorld, placeOf } from './subjects/gitea.ts'
import { githubWorld, placeOfGitHub } from './subjects/github.ts'
import { gitlabWorld, placeOfGitLab } from './subjects/gitlab.ts'

interface Grouped {
  there: ConnectedWorld
  /** Group → names of its members. */
  groups: Map<string, string[]>
  close(): Promise<void>
}
const FORGES: { [group: string]: () => Promise<Grouped> } = {
  'github:org/platform': async () => {
    const double = await startGitHubDouble()
    return { there: await githubWorld(placeOfGitHub(double)), groups: double.state.groups, close: () => double.close() }
  },
  'gitlab:group/sub/platform': async () => {
    const double = await startGitLabDouble()
    return { there: await gitlabWorld(placeOfGitLab(double)), groups: double.state.groups, close: () => double.close() }
  },
  'gitea:org/platform': async () => {
    const double = await startGiteaDouble()
    return { there: await giteaWorld(placeOf(double)), groups: double.state.groups, close: () => double.close() }
  },
}

describe.each(Object.keys(FORGES))('approvals from %s', { timeout: 240_000 }, (group) => {
  const name = group.slice(group.indexOf(':') + 1)
  let grouped: Grouped
  let world: World
  beforeAll(async () => {
    grouped = await FORGES[group]!()
    const { there } = grouped
    world = createWorld(there.harness)
    const approvals = { required: 1, from: [group, 'gitlab:elsewhere', 'github:else/where'] }
    const environments = { production: { tier: 'production', approvals } }
    await there.push('main', { 'trueup.yaml': configOf({ a: {} }, { environments }), 'a/value': '1' })
    await there.look()
    await world.adopt()
  }, 120_000)
  afterAll(async () => {
    await grouped?.there.stop()
    await grouped?.close()
  })
  const mrAt = async (number: number) => {
    const { store, repositoryId } = grouped.there.harness
    return (await findMergeRequestByNumber(store.db, repositoryId, number))!
  }
  async function approved(branch: string): Promise<number> {
    const { there } = grouped
    await there.push(branch, { 'a/value': branch })
    const number = await there.as('author').open({ sourceBranch: branch, title: `Change ${branch}` })
    await there.look()
    await world.work()
    await there.as('reviewer').review(number, 'approve', '')
    await there.look()
    return number
  }
  const gateOf = async (number: number) => {
    const all = await grouped.there.statuses((await mrAt(number)).headOid)
    return all.find((status) => status.name === 'trueup/gate')
  }
  const merge = async (number: number) => {
    const { engine, users } = grouped.there.harness
    return await mergeRequested(engine.parts, {
      mrId: (await mrAt(number)).id,
      actorId: users.second.id,
      squash: false,
    })
  }

  it('are of those who are in it when it is decided', async () => {
    const { groups } = grouped
    const number = await approved('first')
    // Nobody sees such a group, which is told; what is on another forge is no group of this one.
    const blocked = {
      code: 'MR_BLOCKED',
      text: { why: expect.stringMatching(/which cannot be read: .* sees no such/) },
    }
    await expect(merge(number)).rejects.toMatchObject(blocked)
    await expect(merge(number)).rejects.toMatchObject({
      text: { why: expect.stringContaining('the repository is on ') },
    })
    groups.set(name, ['second'])
    await expect(merge(number)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
    groups.set(name, ['second', 'reviewer'])
    expect(await merge(number)).toMatchObject({ state: 'merged' })
    await world.work()
    expect(world.things.get('production/a')).toBe('first')

    const next = await approved('second')
    expect((await gateOf(next))?.description).toBe('ready to merge')
    // Not in it any more: a status may say so later, a merge never goes by what was.
    groups.set(name, ['second'])
    await expect(merge(next)).rejects.toMatchObject({
      code: 'MR_BLOCKED',
      text: { why: expect.stringContaining(`1 more approval from ${group}`) },
    })
    expect((await mrAt(next)).state).toBe('open')
  })
})
