import { expect, test } from 'vitest'
import type { Grant } from '../../domain/wire/worker-protocol.ts'
import { getRun } from '../../store/runs/runs.ts'
import { configOf, land } from '../testing/flows.ts'
import { leaseOne, planOne, workOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })
const full = { code: 'NO_ROOM', doing: 'making the workspace', why: 'there is no room left in /w', next: 'Free space.' }

const fail = async ({ runId, fence }: Grant, error = full): Promise<unknown> => {
  await harness.engine.worker.call(harness.workerId, 'finish', { runId, fence, status: 'failed', error, verify: [] })
  return await getRun(harness.store.db, runId)
}
const nextLease = async (): Promise<Grant> => {
  harness.clock.advance(750_000)
  return (await leaseOne(harness))!
}

test('a run that found no room waits for some, with that as its reason, and goes on', async () => {
  await land(harness, world, 'two', { 'a/value': '2' })
  const grant = (await leaseOne(harness))!
  const waiting = { state: 'queued', reason: 'no_room', attempt: 2, message: `${full.doing}: ${full.why}` }
  expect(await fail(grant)).toMatchObject(waiting)
  expect(await leaseOne(harness)).toBeNull()
  await workOne(harness, await nextLease(), world.script)
  expect(await getRun(harness.store.db, grant.runId)).toMatchObject({ state: 'succeeded' })
})

test('one that finds none for long fails, for that reason and no other', async () => {
  await land(harness, world, 'two', { 'a/value': '2' })
  let grant = (await leaseOne(harness))!
  for (let attempt = 2; attempt <= 5; attempt++) {
    expect(await fail(grant)).toMatchObject({ state: 'queued', attempt })
    grant = await nextLease()
  }
  expect(await fail(grant)).toMatchObject({ state: 'failed', reason: 'no_room', error: full })
})

test('one that was applying is not begun again behind the back of whoever looks at it', async () => {
  await land(harness, world, 'two', { 'a/value': '2' })
  const grant = (await leaseOne(harness))!
  expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
  expect(await fail(grant)).toMatchObject({ state: 'failed', reason: 'no_room' })
})
