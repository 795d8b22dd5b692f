import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { WebSocket } from 'ws'
import { WORKER_PATHS } from '../../src/domain/wire/worker-protocol.ts'
import { ask } from '../../src/server/testing/app.ts'
import { type LiveServer, startLiveServer, until } from '../../src/server/testing/live.ts'
import { claims, jwt, newKey, proof } from '../../src/server/testing/worker-keys.ts'
import { answersIn, type Recorded, RECORDED, recordingOf, twoMinorsLater } from './recorded.ts'

const NEWEST = Math.max(...RECORDED)
/** Each talks as it was recorded, and has an environment of its own. */
const WORKERS = [
  ...RECORDED.map((protocol) => ({ pool: `v${protocol}`, protocol, talk: recordingOf(protocol) })),
  { pool: 'later', protocol: NEWEST + 2, talk: twoMinorsLater(recordingOf(NEWEST), NEWEST) },
]
const CONFIG = {
  version: 1,
  environments: Object.fromEntries(WORKERS.map(({ pool }) => [pool, { tier: 'development', workers: pool }])),
  stacks: [
    {
      path: 'web',
      driver: 'command',
      environments: WORKERS.map(({ pool }) => pool),
      with: { plan: 'echo change; exit 2', apply: 'echo applied' },
      verify: ['echo fine'],
    },
  ],
}

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer(() => ({ 'trueup.yaml': stringify(CONFIG), 'web/file': 'content\n' }))
})
afterAll(() => live.close())

type Answer = { id: number; result?: { [name: string]: unknown }; error?: { code: string; why: string; next: string } }

/** A socket of a new worker, and calls over it. */
async function worker(pool: string, protocol: number) {
  const key = newKey()
  const { body } = await live.request('POST', '/api/v1/workers/enrolments', { pools: [pool] })
  const wish = {
    token: (body as { token: string }).token,
    name: `${pool}-${protocol}`,
    kind: 'runner',
    publicKey: key.jwk,
  }
  const { workerId } = (await ask(live.url, null, 'POST', WORKER_PATHS.enrol, wish)).body
  const token =
    protocol === 1 ? jwt(key, claims(workerId)) : proof(key, workerId, { method: 'GET', path: WORKER_PATHS.socket })
  const socket = new WebSocket(live.url.replace('http', 'ws') + WORKER_PATHS.socket, {
    headers: { authorization: `Bearer ${token}` },
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.on('message', (data) => {
    const answer = JSON.parse((data as Buffer).toString()) as Answer
    waiting.get(answer.id)?.(answer)
  })
  await once(socket, 'open')
  let next = 100_000
  const call = (method: string, params: object): Promise<Answer> =>
    new Promise((resolve) => {
      const id = next++
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  const send = (frame: object): Promise<Answer> =>
    new Promise((resolve) => {
      waiting.set(0, resolve)
      socket.send(JSON.stringify(frame))
    })
  return { call, send, close: () => socket.close() }
}

/** What was recorded, about the run that is granted now, and said now. */
const about = (params: object, grant: { runId: string; fence: number }): object => ({
  ...params,
  ...('runId' in params && { runId: grant.runId, fence: grant.fence }),
  ...('runs' in params && { runs: [{ runId: grant.runId, fence: grant.fence }] }),
  ...('clock' in params && { clock: Date.now() }),
})

/** What a later server would say in addition, this one need not. */
const isOfNow = (name: string): boolean => name !== 'news'

async function talkThrough(talk: Recorded[], pool: string, protocol: number): Promise<void> {
  const its = await worker(pool, protocol)
  const recorded = answersIn(talk)
  let grant = { runId: '', fence: 0 }
  for (const { from, frame } of talk) {
    if (from !== 'worker') continue
    const { method } = frame
    const params = about(frame.params ?? {}, grant)
    if (method === undefined) {
      expect(await its.send(frame)).toMatchObject({ error: { code: 'METHOD_UNKNOWN' } })
      continue
    }
    if (method === 'lease' && grant.fence > 0) continue
    if (method === 'lease') {
      const asked = { n: 0 }
      const answer = await until(
        () => its.call('lease', { ...params, request: `r-${asked.n++}` }),
        ({ result }) => result?.['grant'] !== null,
        180_000,
      )
      grant = answer.result!['grant'] as typeof grant
      const before = recorded.get('lease')!['grant'] as object
      expect(Object.keys(grant)).toEqual(expect.arrayContaining(Object.keys(before).filter(isOfNow)))
      continue
    }
    const answer = await its.call(method, params)
    if (method === 'dream') {
      expect(answer.error).toMatchObject({ code: 'METHOD_UNKNOWN', why: expect.stringContaining('dream') })
      continue
    }
    expect(answer.error, method).toBeUndefined()
    expect(Object.keys(answer.result!)).toEqual(
      expect.arrayContaining(Object.keys(recorded.get(method)!).filter(isOfNow)),
    )
  }
  its.close()
}

describe('a worker of another version deploys a stack, by what it was recorded to say', () => {
  it.each(WORKERS)('protocol $protocol', async ({ pool, protocol, talk }) => {
    await talkThrough(talk, pool, protocol)
    const seen = await until(
      () => live.shop('GET', '/runs?limit=100'),
      ({ body }) =>
        (body as { items: { stack: string; state: string }[] }).items.some(
          ({ stack, state }) => stack === `${pool}/web` && state === 'succeeded',
        ),
      180_000,
    )
    const { items } = seen.body as { items: { id: string; stack: string }[] }
    const log = await live.request('GET', `/api/v1/runs/${items.find(({ stack }) => stack === `${pool}/web`)!.id}/log`)
    expect(JSON.stringify(log.body)).toContain('applied')
  })
})

it('one that is too old or too new is told which versions both have, and what to do', async () => {
  const { frame } = recordingOf(NEWEST).find(({ frame: { method } }) => method === 'hello')!
  const its = await worker('v1', NEWEST)
  const hello = about(frame.params!, { runId: '', fence: 0 })
  const tooNew = await its.call('hello', {
    ...frame.params,
    protocol: NEWEST + 5,
    oldest: NEWEST + 3,
    version: '0.9.0',
  })
  expect(tooNew.error).toMatchObject({
    code: 'PROTOCOL_MISMATCH',
    next: expect.stringContaining('Upgrade the server to 0.9.0'),
  })
  expect(tooNew.error!.why).toContain('0.9.0')
  const tooOld = await its.call('hello', { ...hello, protocol: 0, version: '0.0.1' })
  expect(tooOld.error).toMatchObject({ code: 'PROTOCOL_MISMATCH', next: expect.stringContaining('Upgrade the worker') })
  expect((await its.call('hello', hello)).error).toBeUndefined()
  its.close()
})
