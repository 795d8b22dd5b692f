import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rollBack } from '../../src/engine/rollback/rollback.ts'
import { configOf, runsOf } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber } from '../../src/store/changes/merge-requests.ts'
import { listDeployments } from '../../src/store/stacks/deployments.ts'
import { type ConnectedWorld } from './subjects/connected.ts'
import { giteaDoubleSubject } from './subjects/gitea.ts'

let there: ConnectedWorld
let world: World
beforeAll(async () => {
  there = await giteaDoubleSubject.open()
  world = createWorld(there.harness)
  const environments = { production: { tier: 'production', approvals: { required: 1, rollback: 'none' } } }
  const files = { 'trueup.yaml': configOf({ a: {}, b: {} }, { environments }), 'a/value': '1', 'b/value': '1' }
  await there.push('main', files)
  await there.look()
  await world.adopt()
}, 120_000)
afterAll(() => giteaDoubleSubject.close())

const seen = async (): Promise<void> => {
  await there.look()
  await world.work()
}
const deployed = () => ['production/a', 'production/b'].map((key) => world.things.get(key))

describe('a merge request whose commits the forge has put on the branch one by one', { timeout: 240_000 }, () => {
  it.each(['rebase', 'fast-forward'] as const)(
    'is deployed as one that was approved, and taken back whole (%s)',
    async (method) => {
      const branch = `of-two-${method}`
      await there.push(branch, { 'a/value': `2 by ${method}` })
      await there.push(branch, { 'b/value': `2 by ${method}` })
      const number = await there.as('author').open({ sourceBranch: branch, title: 'Two commits' })
      await seen()
      if (method === 'rebase') {
        // Its base has moved, so that they become other commits.
        await there.push('main', { unrelated: method })
        await seen()
      }
      await there.as('reviewer').review(number, 'approve', '')
      await there.look()
      const before = await there.tip('main')
      await there.mergeThere('second', number, method)
      // Pushed on top before anybody looks: it is nobody's plan, and waits.
      await there.push('main', { 'a/value': `3 by ${method}` })
      await seen()
      const { store, repositoryId, git, users, engine } = there.harness
      const mr = (await findMergeRequestByNumber(store.db, repositoryId, number))!
      expect(mr.state).toBe('merged')
      expect((await git.log({ from: before!, to: mr.mergeOid!, firstParent: true })).length).toBe(2)
      // Both with the plans that were approved, none of the state in between.
      expect(deployed()).toEqual([`2 by ${method}`, `2 by ${method}`])
      const waiting = await runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })
      expect(waiting.map(({ reason, mrId }) => [reason, mrId])).toEqual([['not_approved', null]])
      const { items } = await listDeployments(store.db, { repositoryId, commitOid: mr.mergeOid! }, { limit: 10 })
      expect(items.map(({ mrId }) => mrId)).toEqual([mr.id, mr.id])

      await there.push('main', { 'a/value': `2 by ${method}` })
      await seen()
      const target = { what: 'deployment', repositoryId, deploymentId: items[0]!.id } as const
      await rollBack(engine.parts, { target, reason: 'no', actorId: users.second.id })
      await there.harness.settle()
      await seen()
      await seen()
      expect(deployed()).toEqual(['1', '1'])
    },
  )
})
