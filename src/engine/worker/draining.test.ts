import { expect, it } from 'vitest'
import { getWorker, patchWorker } from '../../store/workers/workers.ts'
import { configOf, propose } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const { harness } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })

const drain = async (draining: boolean) => {
  const { info } = (await getWorker(harness.store.db, harness.workerId))!
  await harness.store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { ...info, draining } }))
}
const hello = { protocol: 1, version: '0', hostname: 'h', pools: ['default'], slots: 1, holding: [] }

it('a worker that drains is given no run, also after it said hello again, until it takes some again', async () => {
  await propose(harness, 'two', { 'a/value': '2' })
  await drain(true)
  expect(await leaseOne(harness)).toBeNull()
  await harness.engine.worker.call(harness.workerId, 'hello', hello)
  expect(await leaseOne(harness)).toBeNull()
  await drain(false)
  expect(await leaseOne(harness)).toMatchObject({ kind: 'preview' })
})
