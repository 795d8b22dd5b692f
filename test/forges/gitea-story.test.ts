import { afterAll, beforeAll, expect, it } from 'vitest'
import { createWorld } from '../../src/engine/testing/world.ts'
import { configOf, runsOf, stackOf } from '../../src/engine/testing/flows.ts'
import { rollBack } from '../../src/engine/rollback/rollback.ts'
import { findMergeRequestByNumber, listMergeRequests } from '../../src/store/changes/merge-requests.ts'
import { type GiteaDouble, startGiteaDouble } from './gitea/double.ts'
import { giteaWorld, placeOf } from './subjects/gitea.ts'

let double: GiteaDouble
let there: Awaited<ReturnType<typeof giteaWorld>>
beforeAll(async () => {
  double = await startGiteaDouble()
  there = await giteaWorld(placeOf(double))
})
afterAll(async () => {
  await there?.stop()
  await double?.close()
})

const rules = { production: { tier: 'production', approvals: { required: 1, rollback: 'none' } } }

it('a merge request is planned, approved, merged, deployed and rolled back, all of it on Gitea', async () => {
  const { harness } = there
  const world = createWorld(harness)
  const mrAt = async (number: number) => {
    await there.look()
    return (await findMergeRequestByNumber(harness.store.db, harness.repositoryId, number))!
  }
  const statuses = async (oid: string) =>
    Object.fromEntries(
      (await there.statuses(oid)).map(({ name, state, description }) => [name, `${state}: ${description}`]),
    )
  await there.push('main', { 'trueup.yaml': configOf({ a: {} }, { environments: rules }), 'a/value': '1' })
  await there.look()
  await world.adopt()

  const head = await there.push('bigger', { 'a/value': '2' })
  const number = await there.as('author').open({ sourceBranch: 'bigger', title: 'Make it bigger' })
  const mr = await mrAt(number)
  // Before any plan stands there an approval is of nothing.
  await there.as('second').review(number, 'approve', 'Blind.')
  await there.look()
  await world.work()
  const plans = (await there.comments(mr)).filter(({ byTrueup }) => byTrueup)
  expect(plans).toHaveLength(1)
  expect(plans[0]!.body).toMatch(/^<!-- trueup:plan -->[^]*1 stack affected[^]*production \/ a/)
  expect(await statuses(head)).toEqual({
    'trueup/production': 'success: 1 stack planned',
    'trueup/gate': expect.stringMatching(/^pending: production: .*approv/),
  })

  await there.as('reviewer').review(number, 'approve', 'Seen.')
  await there.look()
  expect(await statuses(head)).toMatchObject({ 'trueup/gate': 'success: ready to merge' })
  // A new head ends what was said of the earlier one, and asks again.
  const newer = await there.push('bigger', { 'a/value': '3' })
  await there.look()
  await world.work()
  expect(await statuses(newer)).toMatchObject({ 'trueup/gate': expect.stringMatching(/^pending/) })
  await there.as('reviewer').review(number, 'approve', 'Seen again.')
  await there.look()
  expect((await there.comments(mr)).filter(({ byTrueup }) => byTrueup)).toHaveLength(1)

  // Merged by a person on the forge, and heard of by a look.
  await there.mergeThere('second', number)
  expect(await mrAt(number)).toMatchObject({ state: 'merged', mergedById: harness.users.second.id })
  await world.work()
  expect(world.things.get('production/a')).toBe('3')
  const outcome = (await there.comments(mr)).find(({ body }) => body.startsWith('<!-- trueup:deployment -->'))
  expect(outcome?.body).toContain('production/a')
  expect(await runsOf(harness, { kind: 'deploy', state: 'awaiting_approval' })).toEqual([])

  // Back again: the merge request is opened there by Trueup, in the name of who asked for it, and merges by its fast lane.
  const stack = await stackOf(harness, 'production/a')
  const actorId = harness.users.reviewer.id
  const target = { what: 'stack', stackId: stack.id } as const
  const back = await rollBack(harness.engine.parts, { target, reason: 'too big', actorId })
  await harness.settle()
  await world.work()
  await there.look()
  await world.work()
  const pull = double.state.pulls.find((its) => its.number === back.number)!
  expect(pull).toMatchObject({ author: { login: 'trueup-bot' }, state: 'closed', merged: expect.anything() })
  expect(pull.body).toContain('reviewer')
  const { items } = await listMergeRequests(harness.store.db, { ids: [back.id] })
  expect(items[0]).toMatchObject({ state: 'merged', origin: 'rollback', authorId: actorId })
  expect(world.things.get('production/a')).toBe('1')
}, 300_000)
