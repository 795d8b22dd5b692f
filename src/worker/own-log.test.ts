import { expect, test } from 'vitest'
import { FINAL, until, useRunners } from '../../test/worker-peer/use-runners.ts'
import type { Params } from './protocol.ts'
import { recentLines } from './recent-lines.ts'

const { peer, start } = useRunners()

const said = <M extends 'hello' | 'logs'>(method: M) =>
  peer.calls.filter((call) => call.method === method).map(({ params }) => params as Params<M>)

test('it gives the newest lines of its own log to its server, and its metrics to its host', async () => {
  const runner = start('--metrics', '127.0.0.1:0')
  const run = peer.add({ driverConfig: { plan: 'exit 2', apply: 'true' } })
  await until(() => FINAL.includes(run.state))
  expect(said('hello')[0]?.capabilities).toContain('logs')
  peer.send({ event: 'logs', request: 'one', lines: 2 })
  await until(() => said('logs').length === 1)
  const { request, lines } = said('logs')[0]!
  expect(request).toBe('one')
  expect(lines).toHaveLength(2)
  // Standard error and the socket are two ways: either may be first.
  await until(() => lines.every((line) => runner.log().includes(`${line}\n`)))
  const own = runner.log().trimEnd().split('\n')
  for (const line of lines)
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(Number), msg: expect.any(String) })

  const { url } = own
    .map((line) => JSON.parse(line) as { msg: string; url?: string })
    .find(({ msg }) => msg === 'metrics')!
  const metrics = async () => await (await fetch(url!)).text()
  await expect.poll(metrics, { timeout: 60_000 }).toContain('trueup_worker_runs 0\n')
  const text = await metrics()
  expect(text).toContain('trueup_worker_runs_ended_total{kind="deploy",outcome="succeeded"} 1\n')
  expect(text).toContain('trueup_worker_connected 1\n')
  expect(text).toContain('trueup_worker_slots 2\n')
  for (const line of text.trimEnd().split('\n'))
    expect(line).toMatch(
      /^(# (HELP|TYPE) trueup_worker_\w+ .+|trueup_worker_\w+(\{\w+="[\w.-]+"(,\w+="[\w-]+")*\})? [\d.e+-]+)$/,
    )
  expect((await fetch(url!.replace('/metrics', '/other'))).status).toBe(404)
  expect((await fetch(url!, { method: 'POST' })).status).toBe(405)
})

test('it keeps its log to itself where it is told to', async () => {
  start('--no-share-log')
  await until(() => said('hello').length === 1)
  expect(said('hello')[0]?.capabilities).not.toContain('logs')
  peer.send({ event: 'logs', request: 'one', lines: 2 })
  const run = peer.add({ driverConfig: { plan: 'exit 2', apply: 'true' } })
  peer.send({ event: 'work' })
  await until(() => FINAL.includes(run.state))
  expect(said('logs')).toEqual([])
})

test('what is kept is bounded by number and length, and each line stays one', () => {
  const recent = recentLines()
  for (let at = 0; at < 3_000; at++) recent.add(`{"msg":"${at}"}\n`)
  expect(recent.last(5_000)).toHaveLength(2_000)
  expect(recent.last(1)).toEqual(['{"msg":"2999"}'])
  recent.add(JSON.stringify({ level: 50, time: 1, msg: 'm', err: 'x'.repeat(100_000) }))
  expect(JSON.parse(recent.last(1)[0]!)).toMatchObject({ level: 50, msg: 'm', leftOut: expect.any(Number) })
  for (let at = 0; at < 200; at++) recent.add('y'.repeat(8_000))
  expect(recent.last(5_000).join('').length).toBeLessThanOrEqual(512 * 1024)
})
