import { expect, it } from 'vitest'
import type { ServerEvent } from '../../domain/wire/worker-protocol.ts'
import { configOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'

const { harness } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })
const hello = { protocol: 2, version: '0', hostname: 'h', pools: ['default'], slots: 1, holding: [] }

it('asks the worker that is connected, and takes the answer of nobody else', async () => {
  const { worker } = harness.engine
  const ask = () => worker.recentLog(harness.workerId, 5)
  await expect(ask()).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('not connected') })
  const asked = Promise.withResolvers<Extract<ServerEvent, { event: 'logs' }>>()
  const leave = worker.subscribe(harness.workerId, (event) => event.event === 'logs' && asked.resolve(event))
  await worker.call(harness.workerId, 'hello', hello)
  await expect(ask()).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('no server') })
  await worker.call(harness.workerId, 'hello', { ...hello, capabilities: ['logs'] })
  const lines = ask()
  const { request, lines: count } = await asked.promise
  expect(count).toBe(5)
  await worker.call('worker_other', 'logs', { request, lines: ['forged'] })
  await worker.call(harness.workerId, 'logs', { request: 'log_unknown', lines: ['late'] })
  await worker.call(harness.workerId, 'logs', { request, lines: ['one', 'two'] })
  expect(await lines).toEqual(['one', 'two'])
  await expect(worker.recentLog('worker_none', 5)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  leave()
})
