import { expect, it } from 'vitest'
import { approve, bootstrap, configOf, judged, mrOf, propose, runsOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { previewsOf } from './previews.ts'

const production = { tier: 'production', approvals: { required: 1 } }
const environments = (workers: string) => ({ environments: { production, vault: { ...production, workers } } })
const stacks = { a: { environments: ['production'] }, b: { environments: ['vault'] } }

const { harness, world } = useWorld()

const inVault = async () => (await runsOf(harness, { kind: 'preview' })).filter(({ pool }) => pool === 'vault-prod')
const messages = async (id: string) =>
  (await judged(harness, id)).outcome.requirements.filter(({ satisfied }) => !satisfied).map(({ message }) => message)

it('plans nothing on workers that only the merge request names, until somebody else approves that head', async () => {
  await bootstrap(harness, world, { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' })
  const brought = { 'trueup.yaml': configOf(stacks, environments('vault-prod')), 'b/value': '1' }
  const mr = await propose(harness, 'steal', brought)
  await world.work()
  expect(await inVault()).toEqual([])
  expect(previewsOf(await mrOf(harness, mr.id))['vault/b']).toMatchObject({ runId: null, held: 'pool', settled: false })
  expect(await messages(mr.id)).toContainEqual(expect.stringMatching(/^no plan of b: the target branch does not give/))
  await approve(harness, mr.id)
  expect(await inVault()).toHaveLength(1)
  expect((await judged(harness, mr.id)).outcome.mergeable).toBe(false)
  // Who takes it back takes back the plan as well.
  await review('request_changes')
  expect((await inVault()).map(({ state }) => state)).toEqual(['superseded'])
  await approve(harness, mr.id)
  expect((await inVault()).map(({ state }) => state)).toEqual(['queued', 'superseded'])
  // Another head is another change, which nobody has approved.
  await harness.push('steal', { 'b/value': 'evil' })
  await world.work()
  expect(previewsOf(await mrOf(harness, mr.id))['vault/b']).toMatchObject({ runId: null, held: 'pool' })
  expect((await inVault()).map(({ state }) => state)).toEqual(['superseded', 'superseded'])

  async function review(verdict: 'request_changes'): Promise<void> {
    const { headOid } = await mrOf(harness, mr.id)
    const given = { mrId: mr.id, userId: harness.users.reviewer.id, verdict, body: '', headOid, digests: {}, files: {} }
    await harness.forge.reviews.give(given)
    await harness.settle()
  }
})

it('plans at once on workers that the target branch gives the environment', async () => {
  const given = { 'trueup.yaml': configOf({ a: stacks.a }, environments('vault-prod')), 'a/value': '1' }
  await bootstrap(harness, world, given)
  await propose(harness, 'more', {
    'trueup.yaml': configOf(stacks, environments('vault-prod')),
    'b/value': '1',
  })
  expect(await inVault()).toHaveLength(1)
})

it('holds a change of `workers:` to another pool', async () => {
  const given = { 'trueup.yaml': configOf(stacks, environments('elsewhere')), 'a/value': '1', 'b/value': '1' }
  await bootstrap(harness, world, given)
  await propose(harness, 'move', {
    'trueup.yaml': configOf(stacks, environments('vault-prod')),
    'b/value': '2',
  })
  expect(await inVault()).toEqual([])
})
