import { beforeEach, expect, test } from 'vitest'
import type { Grant } from '../../domain/wire/worker-protocol.ts'
import { getRun } from '../../store/runs/runs.ts'
import { createWorker } from '../../store/workers/workers.ts'
import { configOf, land, stackOf } from '../testing/flows.ts'
import { leaseOne, planOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

// A worker that was taken over knows ids and tokens of others, or guesses them: tokens are small numbers.
const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })
let thief: string
let grant: Grant
beforeEach(async () => {
  await land(harness, world, 'two', { 'a/value': '2' })
  grant = (await leaseOne(harness))!
  const { id } = await harness.store.transaction((tx) =>
    createWorker(tx, { name: 'thief', kind: 'runner', pools: ['elsewhere'], publicKey: {}, builtin: false }),
  )
  thief = id
})

const held = () => ({ runId: grant.runId, fence: grant.fence })
const applied = { status: 'applied' as const, resources: [], outputs: {}, findings: [] }

test('a run is no business of a worker that does not hold it', async () => {
  const { worker } = harness.engine
  const plan = { changes: [], coverage: { checked: 1, unchecked: [] }, outputs: {}, findings: [], toolVersions: {} }
  const attempts: [string, () => Promise<unknown>][] = [
    ['workspace', () => worker.workspace(thief, grant.runId, grant.fence)],
    ['state', () => worker.call(thief, 'state', { ...held(), state: 'preparing' })],
    ['log', () => worker.call(thief, 'log', { ...held(), offset: 0, text: 'forged\n' })],
    ['plan', () => worker.call(thief, 'plan', { ...held(), checks: [], plan })],
    ['applied', () => worker.call(thief, 'applied', { ...held(), ...applied })],
    ['finish', () => worker.call(thief, 'finish', { ...held(), status: 'succeeded', verify: [] })],
  ]
  for (const [method, attempt] of attempts)
    await expect(attempt(), method).rejects.toMatchObject({ code: 'LEASE_LOST' })
  expect(await worker.call(thief, 'heartbeat', { runs: [held()] })).toMatchObject({ lost: [grant.runId] })
  expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'leased', logSize: 0 })
  expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
})

test('nor is a stack of a pool that it does not serve', async () => {
  const stack = await stackOf(harness, 'production/a')
  const watched = harness.engine.worker.watchWorkspace(thief, stack.id, stack.deployedCommit!)
  await expect(watched).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await harness.engine.worker.call(thief, 'lease', { request: 'any' })).toEqual({ grant: null })
})
