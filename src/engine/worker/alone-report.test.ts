import { expect, it } from 'vitest'
import { listAudit } from '../../store/audit/list.ts'
import { configOf, land, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'

const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })

it('what an agent did alone is taken once, and the audit says how many reports are missing before it', async () => {
  await land(harness, world, 'two', { 'a/value': '2' })
  const { id: stackId, deployedCommit } = await stackOf(harness, 'production/a')
  const report = (number: number) =>
    harness.engine.worker.call(harness.workerId, 'report', {
      number,
      stackId,
      commit: deployedCommit ?? 'c'.repeat(40),
      at: number,
      outcome: 'healed',
      why: '',
      addresses: [],
    })
  for (const number of [1, 51, 51, 52]) await report(number)
  const { items } = await listAudit(harness.store.db, { action: 'drift.healed_alone' })
  const numbers = items.map(({ data }) => data as { number: number; missing?: number }).reverse()
  expect(numbers.map(({ number, missing }) => ({ number, missing }))).toEqual([
    { number: 1, missing: undefined },
    { number: 51, missing: 49 },
    { number: 52, missing: undefined },
  ])
})
