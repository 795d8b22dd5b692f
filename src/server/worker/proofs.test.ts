import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { CLOCK_LIMIT_MS } from '../../domain/wire/request-proof.ts'
import { PROTOCOL_VERSION } from '../../domain/wire/versions.ts'
import { WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { ask } from '../testing/app.ts'
import { useServer } from '../testing/use-server.ts'
import { claims, jwt, newKey, proof } from '../testing/worker-keys.ts'
import { createWorkerIdentity } from './identity.ts'

const { server, admin } = useServer()

async function enrolled(name: string) {
  const key = newKey()
  const { body } = await admin.request('POST', '/api/v1/workers/enrolments', {})
  const wish = { token: body.token, name, kind: 'runner', publicKey: key.jwk }
  const answer = await ask(server.url, null, 'POST', WORKER_PATHS.enrol, wish)
  return { key, workerId: answer.body.workerId as string }
}

const hello = (more: object = {}) => ({
  method: 'hello',
  params: { protocol: PROTOCOL_VERSION, version: '0', hostname: 'h', pools: [], slots: 1, holding: [], ...more },
})
const CALL = { method: 'POST', path: WORKER_PATHS.call }
const post = (token: string, body: unknown) => ask(server.url, token, 'POST', WORKER_PATHS.call, body)
const shown = async (workerId: string) => {
  const { body } = await admin.request('GET', '/api/v1/workers')
  return body.items.find((worker: { id: string }) => worker.id === workerId)
}

describe('a proof is for one request', () => {
  it.each([
    ['another body', (signed: object) => ({ ...signed, body: hello({ slots: 2 }) })],
    ['no body, where one came', ({ body: _body, ...signed }: { body?: unknown }) => signed],
    ['another method', (signed: object) => ({ ...signed, method: 'PUT' })],
    ['another path', (signed: object) => ({ ...signed, path: WORKER_PATHS.events })],
    ['another query', (signed: object) => ({ ...signed, path: `${WORKER_PATHS.call}?x=1` })],
  ])('and not for %s', async (what, change) => {
    const { key, workerId } = await enrolled(`bound-${what}`)
    const request = { ...CALL, body: hello() }
    expect((await post(proof(key, workerId, request), hello())).status).toBe(200)
    const answer = await post(proof(key, workerId, change(request) as typeof request), hello())
    expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED'])
  })

  it('nor once it was used, nor where it says only half', async () => {
    const { key, workerId } = await enrolled('once')
    const token = proof(key, workerId, { ...CALL, body: hello() })
    expect((await post(token, hello())).status).toBe(200)
    expect((await post(token, hello())).body).toMatchObject({ code: 'REQUEST_REPLAYED' })
    const half = jwt(key, claims(workerId, { method: 'POST' }))
    expect((await post(half, hello())).body.why).toContain('does not say which request')
  })

  it('nor for a socket, where it was made for a call', async () => {
    const { key, workerId } = await enrolled('socket')
    const socket = new WebSocket(server.url.replace('http', 'ws') + WORKER_PATHS.socket, {
      headers: { authorization: `Bearer ${proof(key, workerId, { ...CALL, body: hello() })}` },
    })
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('401')
  })

  it('nor for a server that started after it was signed', async () => {
    const { key, workerId } = await enrolled('before')
    const request = { method: 'GET', path: WORKER_PATHS.socket }
    const authorization = `Bearer ${proof(key, workerId, request)}`
    const later = createWorkerIdentity({
      store: { ...server.store, clock: { now: () => Date.now() + 2_000 } } as typeof server.store,
    })
    await expect(later.verify({ authorization, ...request })).rejects.toMatchObject({ code: 'REQUEST_REPLAYED' })
    const here = createWorkerIdentity(server)
    const now = `Bearer ${proof(key, workerId, request)}`
    expect(await here.verify({ authorization: now, ...request })).toMatchObject({ workerId, keyId: key.jwk.x })
  })
})

describe('clocks', () => {
  it.each([
    ['ahead', 200_000, '3 min ahead'],
    ['behind', -200_000, '3 min behind'],
    ['long behind', -9_000_000, '3 h behind'],
  ])('%s: a proof is refused with its own code and says by how much', async (_what, off, words) => {
    const { key, workerId } = await enrolled(`clock-${off}`)
    const answer = await post(proof(key, workerId, { ...CALL, body: hello() }, Date.now() + off), hello())
    expect([answer.status, answer.body.code]).toEqual([401, 'CLOCK_SKEWED'])
    expect(answer.body.why).toContain(words)
    expect(answer.body.next).toContain('timedatectl')
    expect(answer.headers.get('date')).not.toBeNull()
  })

  it('that are a little off are let in and shown, and those beyond the limit are not, whoever signs by whose time', async () => {
    const { key, workerId } = await enrolled('skewed')
    const say = (clock: number) => {
      const body = hello({ clock })
      return post(proof(key, workerId, { ...CALL, body }), body)
    }
    // What is measured misses the way here, however long that took.
    const measured = async (ahead: number) => {
      const began = Date.now()
      expect((await say(began + ahead)).status).toBe(200)
      const { clockSkewMs } = (await shown(workerId)).info
      expect(clockSkewMs).toBeLessThanOrEqual(ahead)
      expect(clockSkewMs).toBeGreaterThanOrEqual(ahead - (Date.now() - began))
    }
    await measured(42_000)
    expect((await say(Date.now() - CLOCK_LIMIT_MS - 60_000)).body).toMatchObject({ code: 'CLOCK_SKEWED' })
    await measured(0)
  })
})

describe('a connection of a worker', () => {
  const open = async (token: string) => {
    const socket = new WebSocket(server.url.replace('http', 'ws') + WORKER_PATHS.socket, {
      headers: { authorization: `Bearer ${token}` },
    })
    await once(socket, 'open')
    return socket
  }

  it('ends at once when the worker is revoked, older ones too', async () => {
    const { key, workerId } = await enrolled('two-sockets')
    const token = () => proof(key, workerId, { method: 'GET', path: WORKER_PATHS.socket })
    const sockets = [await open(token()), await open(token())]
    const ends = sockets.map((socket) => once(socket, 'close'))
    await admin.request('DELETE', `/api/v1/workers/${workerId}`)
    expect((await Promise.all(ends)).map(([code]) => code)).toEqual([1008, 1008])
  })

  it('that it has left for another is not heard any more', async () => {
    const { key, workerId } = await enrolled('twice-connected')
    const token = () => proof(key, workerId, { method: 'GET', path: WORKER_PATHS.socket })
    const [before, now] = [await open(token()), await open(token())]
    const { method, params } = hello()
    const answered = new Promise<void>((resolve) => {
      now.on('message', (data) => {
        if (JSON.parse((data as Buffer).toString()).id === 1) resolve()
      })
    })
    now.send(JSON.stringify({ id: 1, method, params }))
    await answered
    const ended = once(before, 'close')
    before.send(JSON.stringify({ id: 1, method, params }))
    expect((await ended)[0]).toBe(1008)
    now.close()
  })

  it('is answered at once where it waits in a long poll and the worker is revoked', async () => {
    const { key, workerId } = await enrolled('waiting')
    const poll = (waitMs: number) => {
      const path = `${WORKER_PATHS.events}?waitMs=${waitMs}`
      return ask(server.url, proof(key, workerId, { method: 'GET', path }), 'GET', path)
    }
    // Each longer than this test may take: only the revocation ends it.
    const untilRefused = async () => {
      for (;;) {
        const answer = await poll(50_000)
        if (answer.status !== 200) return answer
      }
    }
    const waiting = untilRefused()
    await expect.poll(() => server.engine.connectedWorkers()).toContain(workerId)
    await admin.request('DELETE', `/api/v1/workers/${workerId}`)
    expect((await waiting).body).toMatchObject({ code: 'UNAUTHENTICATED', why: expect.stringContaining('revoked') })
    expect(server.engine.connectedWorkers()).not.toContain(workerId)
  })
})
