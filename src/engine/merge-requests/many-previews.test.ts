import { expect, it } from 'vitest'
import { listRuns } from '../../store/runs/runs.ts'
import { configOf, judged, propose } from '../testing/flows.ts'
import { leaseOne, workOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { PREVIEWS_AT_A_TIME } from './held-previews.ts'

// However slow the machine is: no lease of these tests runs out.
const { harness, world } = useWorld({
  leaseMs: 600_000,
  files: { 'trueup.yaml': configOf({ first: {} }), 'first/value': '1' },
})

const MANY = PREVIEWS_AT_A_TIME + 20
async function manyStacks() {
  const names = Array.from({ length: MANY }, (_, i) => `s${String(i).padStart(4, '0')}`)
  const stacks = Object.fromEntries(['first', ...names].map((name) => [name, {}]))
  const files = Object.fromEntries(names.map((name) => [`${name}/value`, '1']))
  return await propose(harness, 'many', { 'trueup.yaml': configOf(stacks), ...files })
}
const unfinished = async (mrId: string) =>
  (await listRuns(harness.store.db, { mrId, states: ['queued', 'leased', 'preparing', 'planning'] }, { limit: 1000 }))
    .items

it('orders a bounded number of previews at a time, says so, and goes on when they end', async () => {
  const mr = await manyStacks()
  expect(await unfinished(mr.id)).toHaveLength(PREVIEWS_AT_A_TIME)
  const { outcome } = await judged(harness, mr.id)
  expect(outcome.mergeable).toBe(false)
  expect(outcome.requirements.map(({ message }) => message)).toContain(
    `${MANY} stacks are affected, and 20 of their plans wait for a turn`,
  )
  for (let i = 0; i < 3; i++) await workOne(harness, (await leaseOne(harness))!, world.script)
  expect(await unfinished(mr.id)).toHaveLength(PREVIEWS_AT_A_TIME)
  // Other plans of the same stacks do not come on top.
  await harness.push('many', { 's0000/value': '2', 's0519/value': '2' })
  expect((await unfinished(mr.id)).length).toBeLessThanOrEqual(PREVIEWS_AT_A_TIME)
})

it('ends all of them, waiting and running, when the merge request is closed', async () => {
  const mr = await manyStacks()
  const running = (await leaseOne(harness))!
  const heard: unknown[] = []
  harness.engine.parts.hub.attach(harness.workerId, ['default'], (event) => heard.push(event))
  await harness.forge.changes.close(mr.id, 'system', 'not wanted')
  await harness.settle()
  const left = await unfinished(mr.id)
  expect(left.map(({ id, cancelReason }) => [id, cancelReason])).toEqual([[running.runId, 'mr_closed']])
  expect(heard).toContainEqual({ event: 'cancel', runId: running.runId, reason: 'mr_closed' })
  expect((await leaseOne(harness))?.kind).not.toBe('preview')
})
