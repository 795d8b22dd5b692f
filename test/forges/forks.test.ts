import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Grant } from '../../src/domain/wire/worker-protocol.ts'
import { setVariable } from '../../src/engine/stacks/change-variable.ts'
import { configOf, runsOf } from '../../src/engine/testing/flows.ts'
import { workAll } from '../../src/engine/testing/puppet.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber } from '../../src/store/changes/merge-requests.ts'
import { patchWorker } from '../../src/store/workers/workers.ts'
import type { ConnectedWorld } from './subjects/connected.ts'
import { githubDoubleSubject } from './subjects/github.ts'

let there: ConnectedWorld
let world: World
/** Grants of previews so far. */
const given: Grant[] = []
beforeAll(async () => {
  there = await githubDoubleSubject.open()
  const { harness } = there
  const { store, engine, repositoryId, users } = harness
  world = createWorld(harness)
  await store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { capabilities: ['sandbox'] } }))
  const secret = { name: 'KEY', value: 'canary', environment: null, stack: null, phase: 'plan', secret: true } as const
  await setVariable(engine.parts, { repositoryId, ...secret, actorId: users.second.id })
  const environments = { production: { tier: 'production', approvals: { required: 1 } } }
  await there.push('main', { 'trueup.yaml': configOf({ a: {} }, { environments }), 'a/value': '1' })
  await there.look()
  await world.adopt()
}, 120_000)
afterAll(() => githubDoubleSubject.close())

async function seen(): Promise<void> {
  await there.look()
  await workAll(there.harness, {
    ...world.script,
    async plan(grant) {
      if (grant.kind === 'preview') given.push(grant)
      return await world.script.plan(grant)
    },
  })
  await there.look()
}
const mrAt = async (number: number) =>
  (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!

describe('what a stranger has pushed to a fork', { timeout: 240_000 }, () => {
  it('is run once a maintainer asks for it, with nothing secret until its head is approved', async () => {
    const { outsider } = there.elsewhere!
    await outsider.push('offer', { 'a/value': '2' })
    const number = await outsider.open('offer', 'An offer')
    await seen()
    await outsider.comment(number, '/trueup plan')
    await seen()
    expect([given, await runsOf(there.harness, { kind: 'preview' })]).toEqual([[], []])

    await there.as('reviewer').comment(number, '/trueup plan')
    await seen()
    expect(given).toMatchObject([{ sandbox: { untrusted: true }, variables: {} }])
    expect(given[0]!.stateBackend).toBeUndefined()
    expect(JSON.stringify(given)).not.toContain('canary')

    // An approval vouches for no other head than its own.
    await outsider.push('offer', { 'a/value': '3' })
    await seen()
    await there.as('reviewer').review(number, 'approve', 'Good.')
    await seen()
    expect(given).toHaveLength(1)
    expect(await mrAt(number)).toMatchObject({ state: 'open', problems: [{ code: 'FORK_HELD' }], previews: {} })

    await there.as('second').comment(number, '/trueup plan')
    await seen()
    expect(given.slice(1)).toMatchObject([{ variables: { KEY: { value: 'canary' } } }])
    expect(given[1]!.sandbox?.untrusted ?? false).toBe(false)
    await there.as('reviewer').review(number, 'approve', 'Seen.')
    await seen()
    expect((await there.statuses((await mrAt(number)).headOid)).map(({ name, state }) => [name, state])).toEqual(
      expect.arrayContaining([['trueup/gate', 'success']]),
    )
    await there.mergeThere('second', number)
    await seen()
    expect(world.things.get('production/a')).toMatch(/^3/)
    expect(await there.harness.git.resolve(`refs/heads/trueup-forks/${number}`)).toBeNull()
  })

  it('that somebody merges without it waits in protected environments', async () => {
    const { outsider } = there.elsewhere!
    await outsider.push('unasked', { 'a/value': '4' })
    const number = await outsider.open('unasked', 'Unasked')
    await seen()
    await there.mergeThere('second', number)
    await seen()
    const waiting = await runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })
    expect(waiting.map(({ reason }) => reason)).toEqual(['not_approved'])
    expect(world.things.get('production/a')).toMatch(/^3/)
  })

  it('is no branch that Trueup pushes to, and none that anybody can take its place of', async () => {
    const { forge, harness } = there
    const { git, repositoryId } = harness
    const tip = (await there.tip('main'))!
    await expect(forge.branches.move(repositoryId, 'trueup-forks/9', tip, '0'.repeat(40))).rejects.toMatchObject({
      code: 'FORGE_CANNOT',
    })
    await there.push('trueup-forks/9', { 'a/value': '5' })
    await there.push('beside', { 'a/value': '5' })
    await there.look()
    expect(await git.resolve('refs/heads/trueup-forks/9')).toBeNull()
    expect(await git.resolve('refs/heads/beside')).not.toBeNull()
  })
})
