import { beforeEach, expect, it } from 'vitest'
import type { Grant, ServerEvent } from '../../domain/wire/worker-protocol.ts'
import { getRun } from '../../store/runs/runs.ts'
import { createWorker, patchWorker } from '../../store/workers/workers.ts'
import { bootstrap, configOf, land, propose } from '../testing/flows.ts'
import { leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { makeWay } from './make-way.ts'

// However slow the machine is: no lease of these tests runs out.
const { harness, world } = useWorld({ leaseMs: 600_000 })
let heard: ServerEvent[]
beforeEach(async () => {
  heard = []
  const files = { 'a/value': '1', 'b/value': '1', 'c/value': '1' }
  const production = { tier: 'production', approvals: { required: 1 } }
  const [there, here] = [{ environments: ['production'] }, { environments: ['staging'] }]
  const config = configOf(
    { a: there, b: here, c: here },
    { environments: { production, staging: { tier: 'staging' } } },
  )
  await bootstrap(harness, world, { 'trueup.yaml': config, ...files })
})

/** The puppet has this many slots, all taken by previews of other merge requests; then a deployment of `a` is ready. */
async function fullOfPreviews(slots: number): Promise<Grant[]> {
  await harness.store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { slots } }))
  await propose(harness, 'slow', { 'b/value': '2', 'c/value': '2' })
  const taken: Grant[] = []
  for (let i = 0; i < slots; i++) taken.push((await leaseOne(harness))!)
  await land(harness, world, 'approved', { 'a/value': '2' })
  return taken
}

const connect = () => harness.engine.parts.hub.attach(harness.workerId, ['default'], (event) => heard.push(event))
const stateOf = async ({ runId }: Grant) => (await getRun(harness.store.db, runId))!

it.each([1, 2])('takes one slot of %i for a deployment, from the youngest preview', async (slots) => {
  const taken = await fullOfPreviews(slots)
  connect()
  await makeWay(harness.engine.parts)
  await makeWay(harness.engine.parts)
  const youngest = taken.at(-1)!
  expect(await stateOf(youngest)).toMatchObject({ state: 'queued', reason: 'gave_way', attempt: 1 })
  for (const other of taken.slice(0, -1)) expect((await stateOf(other)).state).toBe('leased')
  expect(heard).toContainEqual({ event: 'cancel', runId: youngest.runId, reason: 'gave_way' })
  const deploy = (await leaseOne(harness))!
  expect(deploy).toMatchObject({ kind: 'deploy', stack: { name: 'a' } })
  // The tool of the preview that gave way may still say something: it is no longer the worker's business.
  await expect(planOne(harness, youngest, world.script)).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(await planOne(harness, deploy, world.script)).toMatchObject({ action: 'apply' })
  const again = await leaseOne(harness)
  expect(again).toMatchObject({ runId: youngest.runId, kind: 'preview' })
})

it('leaves previews where another worker that may have the deployment is free', async () => {
  const taken = await fullOfPreviews(1)
  const info = { slots: 1 }
  const more = { kind: 'runner' as const, pools: ['default'], publicKey: {}, builtin: false, info }
  const { id } = await harness.store.transaction((tx) => createWorker(tx, { name: 'free', ...more }))
  harness.engine.parts.hub.attach(id, ['default'], () => {})
  connect()
  await makeWay(harness.engine.parts)
  expect((await stateOf(taken[0]!)).state).toBe('leased')
})

it('stops no preview for a deployment that the worker is not enrolled for', async () => {
  const scope = { repositories: [], environments: ['staging'], info: { slots: 1 } }
  const more = { kind: 'runner' as const, pools: ['default'], publicKey: {}, builtin: false, ...scope }
  const { id } = await harness.store.transaction((tx) => createWorker(tx, { name: 'staging', ...more }))
  await propose(harness, 'slow', { 'b/value': '2' })
  const { grant } = await harness.engine.worker.call(id, 'lease', { request: 'one' })
  await land(harness, world, 'approved', { 'a/value': '2' })
  harness.engine.parts.hub.attach(id, ['default'], (event) => heard.push(event))
  await makeWay(harness.engine.parts)
  expect((await stateOf(grant!)).state).toBe('leased')
})

it("takes a slot back from a share that holds all, for another's preview that has waited a minute", async () => {
  await harness.store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { slots: 2 } }))
  await propose(harness, 'mine', { 'b/value': '2', 'c/value': '2' })
  const taken = [(await leaseOne(harness))!, (await leaseOne(harness))!]
  await propose(harness, 'own-third', { 'a/value': '2' })
  connect()
  harness.clock.advance(61_000)
  await makeWay(harness.engine.parts)
  // Nobody else waits: what one has is one's own.
  for (const each of taken) expect((await stateOf(each)).state).toBe('leased')

  await harness.push('other', { 'b/value': '3' }, { by: 'second' })
  const { author, second } = harness.users
  await harness.forge.changes.open({
    repositoryId: harness.repositoryId,
    sourceBranch: 'other',
    targetBranch: 'main',
    title: 'other',
    description: '',
    authorId: second.id,
  })
  await harness.settle()
  await makeWay(harness.engine.parts)
  for (const each of taken) expect((await stateOf(each)).state).toBe('leased')
  harness.clock.advance(61_000)
  await makeWay(harness.engine.parts)
  await makeWay(harness.engine.parts)
  const states = await Promise.all(taken.map(async (each) => (await stateOf(each)).state))
  expect(states.toSorted()).toEqual(['leased', 'queued'])
  const next = (await leaseOne(harness))!
  expect((await stateOf(next)).share).toBe(second.id)
  expect(author.id).not.toBe(second.id)
})
