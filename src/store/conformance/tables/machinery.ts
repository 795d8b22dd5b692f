import { expect, it } from 'vitest'
import { deleteIdempotentAnswers, findIdempotentAnswer, saveIdempotentAnswer } from '../../idempotency.ts'
import {
  createEnrolment,
  createWorker,
  findWorkerByName,
  patchWorker,
  revokeWorker,
  touchWorkers,
  useEnrolment,
} from '../../workers/workers.ts'
import { type Bench, refusal } from '../bench.ts'
import { handsOn } from './hands.ts'

export function machineryTables(bench: () => Bench): void {
  const { db, write } = handsOn(bench)

  it('workers enrol once and are found until revoked', async () => {
    const { clock } = bench()
    const enrol = (tokenHash: string) =>
      write((tx) => createEnrolment(tx, { tokenHash, pools: ['edge'], expiresAt: clock.now() + 10 }))
    await enrol('t1')
    expect(await write((tx) => useEnrolment(tx, 't1'))).toMatchObject({ pools: ['edge'], builtin: false })
    expect(await write((tx) => useEnrolment(tx, 't1'))).toBeNull()
    await enrol('t2')
    clock.advance(10)
    expect(await write((tx) => useEnrolment(tx, 't2'))).toBeNull()
    const make = () =>
      write((tx) =>
        createWorker(tx, { name: 'w', kind: 'runner', pools: ['edge'], publicKey: { kty: 'OKP' }, builtin: false }),
      )
    const worker = await make()
    await refusal(make(), 'CONFLICT')
    await touchWorkers(db(), [worker.id])
    await write((tx) => patchWorker(tx, worker.id, { info: { version: '1' } }))
    expect(await findWorkerByName(db(), 'w')).toEqual({ ...worker, lastSeenAt: clock.now(), info: { version: '1' } })
    await write((tx) => revokeWorker(tx, worker.id))
    expect(await findWorkerByName(db(), 'w')).toBeUndefined()
    await make()
  })

  it('idempotency: the first answer stays, by user', async () => {
    const { clock } = bench()
    const answer = { userId: 'user_1', key: 'k', requestHash: 'h', status: 201, response: { id: 1 } }
    expect(await write((tx) => saveIdempotentAnswer(tx, answer))).toBe(true)
    expect(await write((tx) => saveIdempotentAnswer(tx, { ...answer, status: 500 }))).toBe(false)
    expect(await findIdempotentAnswer(db(), 'user_1', 'k')).toMatchObject({ status: 201, response: { id: 1 } })
    expect(await findIdempotentAnswer(db(), 'user_2', 'k')).toBeUndefined()
    expect(await write((tx) => deleteIdempotentAnswers(tx, clock.now() + 1))).toBe(1)
  })
}
