import { expect, it } from 'vitest'
import type { Params } from '../../domain/wire/worker-protocol.ts'
import { getRun } from '../../store/runs/runs.ts'
import { createWorker, getWorker } from '../../store/workers/workers.ts'
import { configOf, propose } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'

const { harness } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })

type Said = Params<'hello'>
const call = (id: string, said: Said) => harness.engine.worker.call(id, 'hello', said)
const hello = { protocol: 1, version: '0', hostname: 'h', pools: [], slots: 1, holding: [] }

it('those that come at once are written together, and one that nobody knows spoils it for nobody', async () => {
  await propose(harness, 'two', { 'a/value': '2' })
  const lost = (await leaseOne(harness))!
  const others = await Promise.all(
    Array.from({ length: 70 }, (_, at) =>
      harness.store.transaction((tx) =>
        createWorker(tx, { name: `w${at}`, kind: 'agent', pools: [], publicKey: { x: `${at}` }, builtin: false }),
      ),
    ),
  )
  const ids = [harness.workerId, ...others.map(({ id }) => id)]
  let told = 0
  const end = harness.store.changes.subscribe((changes) => {
    if (changes.some(({ topic }) => topic === 'worker')) told++
  })
  const unknown = call('worker_nobody', hello)
  const answers = ids.map((id) => call(id, hello))
  await expect(unknown).rejects.toMatchObject({ code: 'NOT_FOUND' })
  for (const [at, answer] of (await Promise.all(answers)).entries())
    expect(answer).toMatchObject({ workerId: ids[at], protocol: 1 })
  for (const id of ids) expect((await getWorker(harness.store.db, id))?.info).toMatchObject({ hostname: 'h', slots: 1 })
  // What was leased is not held any more.
  expect(await getRun(harness.store.db, lost.runId)).toMatchObject({ state: 'queued', reason: 'worker_restarted' })
  end()
  // The batch with the unknown one was taken apart, the other was one.
  expect(told).toBeLessThanOrEqual(51)
})

it('who says the same again is seen, and not written anew', async () => {
  await call(harness.workerId, hello)
  const changes: object[] = []
  const end = harness.store.changes.subscribe((told) => void changes.push(...told))
  await call(harness.workerId, { ...hello, slots: 2 })
  await call(harness.workerId, { ...hello, slots: 2 })
  end()
  const worker = { topic: 'worker', id: harness.workerId }
  expect(changes).toEqual([worker, { ...worker, seen: true }])
})
