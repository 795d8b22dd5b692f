import { afterEach, beforeEach, expect, test } from 'vitest'
import { healNow } from '../../src/engine/drift/actions.ts'
import { bootstrap, configOf, land, stackOf } from '../../src/engine/testing/flows.ts'
import { type EngineHarness, startHarness } from '../../src/engine/testing/harness.ts'
import { applyOne, finishOne, leaseOne, planOne } from '../../src/engine/testing/puppet.ts'
import { createWorld, type World } from '../../src/engine/testing/world.ts'
import { getRun } from '../../src/store/runs/runs.ts'
import { enqueueTask, nextTaskAt } from '../../src/store/runs/tasks.ts'
import { until } from './wait.ts'

// The engine's own clock loop runs here; only the time that it reads is moved.
const LEASE_MS = 1_500
const HOUR_MS = 3_600_000
let harness: EngineHarness
let world: World
beforeEach(async () => {
  harness = await startHarness({ leaseMs: LEASE_MS })
  world = createWorld(harness)
  await bootstrap(harness, world, { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' })
  await land(harness, world, 'two', { 'a/value': '2' })
})
afterEach(() => harness.stop())

const stateOf = async (runId: string): Promise<string | undefined> => (await getRun(harness.store.db, runId))?.state

test('a clock that jumps an hour ahead takes the run from its worker, and what that says is refused', async () => {
  const grant = (await leaseOne(harness))!
  expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
  harness.clock.advance(HOUR_MS)
  await until('the run is lost', async () => (await stateOf(grant.runId)) === 'lost', 180_000)
  const late = applyOne(harness, grant, world.script).then((applied) => finishOne(harness, grant, applied))
  await expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' })
})

test('a clock that is set back an hour does not keep the run of a dead worker for that hour', async () => {
  const grant = (await leaseOne(harness))!
  expect(await planOne(harness, grant, world.script)).toMatchObject({ action: 'apply' })
  harness.clock.advance(-HOUR_MS)
  await until('the run is lost', async () => (await stateOf(grant.runId)) === 'lost', 180_000)
})

test('a clock that is set back an hour does not hold up follow-up work', async () => {
  const task = { kind: 'run.ended', key: 'none', payload: { runId: 'none' }, runAt: harness.clock.now() + 2_000 }
  await harness.store.transaction((tx) => enqueueTask(tx, task))
  harness.clock.advance(-HOUR_MS)
  await until('nothing waits', async () => (await nextTaskAt(harness.store.db)) === null, 180_000)
})

test('a clock that is set back an hour does not hold up drift checks and runs that wait for a time', async () => {
  await world.work()
  const stack = await stackOf(harness, 'production/a')
  const heal = await healNow(harness.engine.parts, { stackId: stack.id, actorId: harness.users.second.id })
  const { store, clock } = harness
  await store.transaction((tx) =>
    tx
      .updateTable('runs')
      .set({ notBefore: clock.now() + 60_000 })
      .where('id', '=', heal.id)
      .execute(),
  )
  const before = await stackOf(harness, 'production/a')
  clock.advance(-HOUR_MS)
  const due = async () => ((await getRun(store.db, heal.id))?.notBefore ?? 0) <= clock.now()
  await until('the run may begin', due, 180_000)
  const after = await stackOf(harness, 'production/a')
  expect(before.nextDriftAt! - after.nextDriftAt!).toBeGreaterThan(HOUR_MS - 10_000)
})
