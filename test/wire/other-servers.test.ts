import { expect, it } from 'vitest'
import { z } from 'zod'
import { METHODS, type Method, ServerEvent } from '../../src/domain/wire/worker-protocol.ts'
import { FINAL, until, useRunners } from '../worker-peer/use-runners.ts'
import { answersIn, RECORDED, recordingOf, twoMinorsLater } from './recorded.ts'

const { peer, start } = useRunners()
const NEWEST = Math.max(...RECORDED)
const DRIVER = { plan: 'echo change; exit 2', apply: 'echo applied' }

it.each(RECORDED)(
  'a server of protocol %i: the runner of today deploys, and calls what that one knows',
  async (protocol) => {
    const recording = recordingOf(protocol)
    const answers = answersIn(recording)
    // What the server of then did not say is not said.
    peer.faults.answers = (method, result) => {
      const known = answers.get(method)
      if (method === 'hello') return { ...known, workerId: (result as { workerId: string }).workerId }
      return known ? Object.fromEntries(Object.entries(result as object).filter(([name]) => name in known)) : result
    }
    start()
    const run = peer.add({ driverConfig: DRIVER, verify: [{ name: 'v', run: 'echo fine', timeoutMs: 60_000 }] })
    await until(() => FINAL.includes(run.state))
    expect(run.state).toBe('succeeded')
    expect(run.log).toContain('applied')
    const called = new Set<string>(peer.calls.map(({ method }) => method))
    const known = new Set(recording.flatMap(({ frame: { method } }) => method ?? []))
    expect([...called].filter((method) => !known.has(method))).toEqual([])
  },
)

it('a server two minor versions later: the runner leaves what it does not know', async () => {
  const answers = answersIn(twoMinorsLater(recordingOf(NEWEST), NEWEST))
  peer.faults.answers = (method, result) =>
    method === 'hello'
      ? { ...answers.get('hello'), workerId: (result as { workerId: string }).workerId, version: '0.3.0' }
      : { ...(result as object), news: { since: 'later' } }
  const runner = start()
  await until(() => runner.log().includes('"connected"'))
  peer.send({ event: 'dream', of: 'sheep' } as never)
  const run = peer.add({ driverConfig: DRIVER, ...({ news: true } as object) })
  await until(() => FINAL.includes(run.state))
  expect(run.state).toBe('succeeded')
})

it('a server that speaks no protocol of the runner: it says both versions, and keeps trying', async () => {
  peer.faults.answers = (method, result) =>
    method === 'hello' ? { ...(result as object), protocol: NEWEST + 3, version: '0.9.0' } : result
  const runner = start()
  await until(() => runner.log().includes('PROTOCOL_MISMATCH'))
  expect(runner.log()).toContain('0.9.0')
  expect(runner.log()).toContain('Upgrade the worker to 0.9.0')
  delete peer.faults.answers
  await until(() => runner.log().includes('"connected"'))
})

it.each(RECORDED)('every word of protocol %i can be read', (protocol) => {
  const recording = recordingOf(protocol)
  for (const { from, frame } of recording) {
    if (from === 'worker') z.parse(METHODS[frame.method as Method].params, frame.params)
    else if (frame.event) ServerEvent.parse(frame)
  }
  for (const [method, result] of answersIn(recording)) z.parse(METHODS[method as Method].result, result)
})
