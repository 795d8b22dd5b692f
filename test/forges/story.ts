import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkNow } from '../../src/engine/drift/actions.ts'
import { rollBack } from '../../src/engine/rollback/rollback.ts'
import { configOf, runsOf, stackOf } from '../../src/engine/testing/flows.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { findMergeRequestByNumber, listMergeRequests } from '../../src/store/changes/merge-requests.ts'
import { listDriftRecords } from '../../src/store/stacks/drift.ts'
import type { ConnectedSubject, ConnectedWorld } from './subjects/connected.ts'

const KEY = 'production/a'
const RULES = { production: { tier: 'production', approvals: { required: 1, rollback: 'none' } } }

/** One merge request from its push to its merge, what it deployed drifts and is healed, and it is taken back: all on one forge. */
export function story(subject: ConnectedSubject): void {
  let there: ConnectedWorld
  let world: World
  const mrAt = async (number: number) =>
    (await findMergeRequestByNumber(there.harness.store.db, there.harness.repositoryId, number))!
  const seen = async () => {
    await there.look()
    await world.work()
    await there.look()
  }
  const statuses = async (oid: string) =>
    Object.fromEntries(
      (await there.statuses(oid)).map(({ name, state, description }) => [name, `${state}: ${description}`]),
    )
  const saidOf = async (number: number, marker: string) =>
    (await there.comments(await mrAt(number))).filter(
      ({ body, byTrueup }) => byTrueup && body.startsWith(`<!-- trueup:${marker} -->`),
    )
  const wish = async () => ({
    stackId: (await stackOf(there.harness, KEY)).id,
    actorId: there.harness.users.reviewer.id,
  })

  describe(`a change, from its push to its end, on ${subject.name} (${subject.against})`, { timeout: 300_000 }, () => {
    let number: number
    beforeAll(async () => {
      there = await subject.open()
      world = createWorld(there.harness)
    })
    afterAll(() => subject.close())

    it('is planned in one comment, and waits for an approval of what stands there', async () => {
      await there.push('main', {
        'trueup.yaml': configOf({ a: { drift: { mode: 'enforce' } } }, { environments: RULES }),
        'a/value': '1',
      })
      await there.look()
      await world.adopt()

      const head = await there.push('bigger', { 'a/value': '2' })
      number = await there.as('author').open({ sourceBranch: 'bigger', title: 'Make it bigger' })
      await there.look()
      // Before any plan stands there an approval is of nothing.
      await there.as('second').review(number, 'approve', 'Blind.')
      await there.look()
      await world.work()
      const plans = await saidOf(number, 'plan')
      expect(plans.map(({ body }) => body)).toEqual([expect.stringMatching(/1 stack affected[^]*production \/ a/)])
      expect(await statuses(head)).toEqual({
        'trueup/production': 'success: 1 stack planned',
        'trueup/gate': expect.stringMatching(/^pending: production: .*approv/),
      })

      await there.aMoment()
      await there.as('reviewer').review(number, 'approve', 'Seen.')
      await there.look()
      expect(await statuses(head)).toMatchObject({ 'trueup/gate': 'success: ready to merge' })
    })

    it('asks again with a new head, in the same comment', async () => {
      const newer = await there.push('bigger', { 'a/value': '3' })
      await seen()
      expect(await statuses(newer)).toMatchObject({ 'trueup/gate': expect.stringMatching(/^pending/) })
      await there.aMoment()
      await there.as('reviewer').review(number, 'approve', 'Seen again.')
      await there.look()
      expect(await statuses(newer)).toMatchObject({ 'trueup/gate': 'success: ready to merge' })
      expect(await saidOf(number, 'plan')).toHaveLength(1)
    })

    it('is merged by a person there, deployed without anybody’s second word, and its outcome told', async () => {
      await there.mergeThere('second', number)
      await there.look()
      const { second } = there.harness.users
      expect(await mrAt(number)).toMatchObject({ state: 'merged', mergedById: second.id })
      await world.work()
      expect(world.things.get(KEY)).toBe('3')
      expect((await saidOf(number, 'deployment')).map(({ body }) => body)).toEqual([expect.stringContaining(KEY)])
      expect(await runsOf(there.harness, { kind: 'deploy', state: 'awaiting_approval' })).toEqual([])
      const { mergeOid } = await mrAt(number)
      const shown = there.forge.can.deployments === true ? [{ environment: 'production', state: 'success' }] : []
      expect(await there.deployments(mergeOid!)).toEqual(shown)
    })

    it('is what stands there again after somebody changed it by hand', async () => {
      world.things.set(KEY, 'by hand')
      await checkNow(there.harness.engine.parts, await wish())
      await world.work()
      expect(world.things.get(KEY)).toBe('3')
      const { stackId } = await wish()
      const { items } = await listDriftRecords(there.harness.store.db, { stackId })
      expect(items).toMatchObject([{ state: 'healed' }])
    })

    it('is taken back by a merge request of Trueup’s there, in the name of who asked', async () => {
      const { stackId, actorId } = await wish()
      const target = { what: 'stack', stackId } as const
      const back = await rollBack(there.harness.engine.parts, { target, reason: 'too big', actorId })
      await there.harness.settle()
      await world.work()
      await seen()
      const { by, body } = await there.opened(back.number)
      expect(by).toBe(there.botId)
      expect(body).toContain('reviewer')
      const { items } = await listMergeRequests(there.harness.store.db, { ids: [back.id] })
      expect(items[0]).toMatchObject({ state: 'merged', origin: 'rollback', authorId: actorId })
      await world.work()
      expect(world.things.get(KEY)).toBe('1')
      expect(await there.tip('main')).toBe(items[0]!.mergeOid)
    })
  })
}
