import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { PROTOCOL_VERSION } from '../../domain/wire/versions.ts'
import { WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { newToken } from '../auth/token.ts'
import { ask } from '../testing/app.ts'
import { useServer } from '../testing/use-server.ts'
import { claims, jwt, newKey, type TestKey as Key } from '../testing/worker-keys.ts'

const { server, admin } = useServer()

const seconds = () => Math.floor(Date.now() / 1000)

async function enrolmentToken(): Promise<string> {
  const { body } = await admin.request('POST', '/api/v1/workers/enrolments', {})
  return body.token
}
const enrol = (token: string, key: Key, name: string) =>
  ask(server.url, null, 'POST', WORKER_PATHS.enrol, { token, name, kind: 'runner', publicKey: key.jwk })

async function enrolled(name: string): Promise<{ key: Key; workerId: string }> {
  const key = newKey()
  const { body } = await enrol(await enrolmentToken(), key, name)
  return { key, workerId: body.workerId }
}

const HELLO = { protocol: PROTOCOL_VERSION, version: '0', hostname: 'h', pools: ['default'], slots: 1, holding: [] }
const call = (token: string, method: string, params: unknown) =>
  ask(server.url, token, 'POST', WORKER_PATHS.call, { method, params })

describe('enrolment', () => {
  it('uses a token up, and gives a repeat with the same key the same id', async () => {
    const token = await enrolmentToken()
    const key = newKey()
    const first = await enrol(token, key, 'once')
    expect(first.status).toBe(201)
    expect((await enrol(token, key, 'once')).body).toEqual(first.body)
    expect((await enrol(token, newKey(), 'thief')).status).toBe(401)
  })

  it('refuses unknown tokens and keys of another kind', async () => {
    expect((await enrol(newToken('enrolment').token, newKey(), 'x')).status).toBe(401)
    const { jwk } = newKey()
    const body = { token: 't', name: 'x', kind: 'runner', publicKey: { ...jwk, crv: 'X25519' } }
    expect((await ask(server.url, null, 'POST', WORKER_PATHS.enrol, body)).status).toBe(400)
  })
})

describe('a signed token', () => {
  it('is good once', async () => {
    const { key, workerId } = await enrolled('signer')
    const token = jwt(key, claims(workerId))
    expect((await call(token, 'hello', HELLO)).body.result).toMatchObject({ workerId })
    const again = await call(token, 'hello', HELLO)
    expect([again.status, again.body.why]).toEqual([401, 'this token was used before'])
  })

  it.each([
    ['of another key', (workerId: string, _key: Key) => jwt(newKey(), claims(workerId))],
    ['for another audience', (workerId: string, key: Key) => jwt(key, claims(workerId, { aud: 'else' }))],
    [
      'that is over',
      (workerId: string, key: Key) => jwt(key, claims(workerId, { iat: seconds() - 200, exp: seconds() - 150 })),
    ],
    [
      'that is valid for a day',
      (workerId: string, key: Key) => jwt(key, claims(workerId, { exp: seconds() + 86_400 })),
    ],
    ['without an id', (workerId: string, key: Key) => jwt(key, claims(workerId, { jti: undefined }))],
    ['without a signature', (workerId: string, key: Key) => jwt(key, claims(workerId), { alg: 'none' })],
    ['of nobody', (_workerId: string, key: Key) => jwt(key, claims('worker_none'))],
  ])('%s is refused', async (_what, make) => {
    const { key, workerId } = await enrolled(`w-${randomUUID()}`)
    expect((await call(make(workerId, key), 'hello', HELLO)).status).toBe(401)
  })

  it('of a revoked worker is refused', async () => {
    const { key, workerId } = await enrolled('leaver')
    await admin.request('DELETE', `/api/v1/workers/${workerId}`)
    const { status, body } = await call(jwt(key, claims(workerId)), 'hello', HELLO)
    expect([status, body.why]).toEqual([401, expect.stringContaining('revoked')])
  })

  it('opens nothing that people use, and the other way round', async () => {
    const { key, workerId } = await enrolled('curious')
    expect((await ask(server.url, jwt(key, claims(workerId)), 'GET', '/api/v1/users')).status).toBe(401)
    expect((await call(admin.token, 'hello', HELLO)).status).toBe(401)
  })
})

describe('calls', () => {
  it('with wrong parameters name the field; unknown methods are said to be unknown', async () => {
    const { key, workerId } = await enrolled('caller')
    const wrong = await call(jwt(key, claims(workerId)), 'hello', { ...HELLO, slots: 'many' })
    expect([wrong.status, wrong.body.why]).toEqual([400, expect.stringMatching(/^slots: /)])
    for (const method of ['nothing', 'constructor', '__proto__'])
      expect((await call(jwt(key, claims(workerId)), method, {})).status, method).toBe(400)
  })

  it('about runs that this worker does not hold lose their lease', async () => {
    const { key, workerId } = await enrolled('late')
    const state = await call(jwt(key, claims(workerId)), 'state', { runId: 'run_x', fence: 1, state: 'preparing' })
    expect(state.body.code).toBe('LEASE_LOST')
    const workspace = await ask(server.url, jwt(key, claims(workerId)), 'GET', WORKER_PATHS.workspace('run_x', 1))
    expect(workspace.body.code).toBe('LEASE_LOST')
  })

  it('wait for events by long poll, and get them when they come', async () => {
    const { key, workerId } = await enrolled('poller')
    const poll = (waitMs: number) =>
      ask(server.url, jwt(key, claims(workerId)), 'GET', `${WORKER_PATHS.events}?waitMs=${waitMs}`)
    const first = await poll(5_000)
    expect(first.body.events.map(({ event }: { event: string }) => event)).toContain('work')
    while ((await poll(0)).body.events.length > 0);
    const waiting = poll(30_000)
    server.engine.parts.hub.send(workerId, { event: 'cancel', runId: 'run_1', reason: 'test' })
    expect((await waiting).body.events).toContainEqual({ event: 'cancel', runId: 'run_1', reason: 'test' })
  })
})

describe('the socket', () => {
  const open = async (token: string): Promise<WebSocket> => {
    const socket = new WebSocket(server.url.replace('http', 'ws') + WORKER_PATHS.socket, {
      headers: { authorization: `Bearer ${token}` },
    })
    await once(socket, 'open')
    return socket
  }
  const answerTo = (
    socket: WebSocket,
    frame: object & { id: number },
  ): Promise<{ result?: unknown; error?: { code: string } }> =>
    new Promise((resolve) => {
      socket.on('message', (data) => {
        const answer = JSON.parse((data as Buffer).toString())
        if (answer.id === frame.id) resolve(answer)
      })
      socket.send(JSON.stringify(frame))
    })

  it('refuses the handshake without a good token, and elsewhere', async () => {
    const refusedBy = async (path: string, token: string) => {
      const socket = new WebSocket(server.url.replace('http', 'ws') + path, {
        headers: { authorization: `Bearer ${token}` },
      })
      socket.on('error', () => {})
      const [, response] = await once(socket, 'unexpected-response')
      response.resume()
      socket.terminate()
      return response.statusCode
    }
    expect(await refusedBy(WORKER_PATHS.socket, admin.token)).toBe(401)
    expect(await refusedBy('/api/v1/users', admin.token)).toBe(404)
  })

  it('answers calls by their id, errors too', async () => {
    const { key, workerId } = await enrolled('socket')
    const socket = await open(jwt(key, claims(workerId)))
    const [hello, wrong] = await Promise.all([
      answerTo(socket, { id: 1, method: 'hello', params: HELLO } as never),
      answerTo(socket, { id: 2, method: 'nothing', params: {} } as never),
    ])
    expect(hello.result).toMatchObject({ workerId })
    expect(wrong.error).toMatchObject({ code: 'METHOD_UNKNOWN' })
    const { body } = await admin.request('GET', '/api/v1/workers')
    expect(body.items.find((worker: { id: string }) => worker.id === workerId)).toMatchObject({ connected: true })
    socket.close()
  })

  it('of a worker that is revoked ends at once', async () => {
    const { key, workerId } = await enrolled('sacked')
    const socket = await open(jwt(key, claims(workerId)))
    expect((await answerTo(socket, { id: 1, method: 'hello', params: HELLO } as never)).result).toBeDefined()
    const closed = once(socket, 'close')
    await admin.request('DELETE', `/api/v1/workers/${workerId}`)
    expect((await closed)[0]).toBe(1008)
  })

  it.each([
    ['that is not JSON', 'not json'],
    ['that is no object', '[{"hello":1}]'],
    ['that is binary', Buffer.from([1, 2, 3])],
  ])('ends on a frame %s, and no other socket does', async (_what, frame) => {
    const [bad, good] = [await enrolled(`bad-${randomUUID()}`), await enrolled(`good-${randomUUID()}`)]
    const [broken, whole] = [
      await open(jwt(bad.key, claims(bad.workerId))),
      await open(jwt(good.key, claims(good.workerId))),
    ]
    broken.send(frame)
    const [code] = await once(broken, 'close')
    expect([1002, 1003]).toContain(code)
    expect((await answerTo(whole, { id: 1, method: 'hello', params: HELLO } as never)).result).toMatchObject({
      workerId: good.workerId,
    })
    whole.close()
  })

  it('answers more calls at once than it works on at a time', async () => {
    const { key, workerId } = await enrolled('busy')
    const socket = await open(jwt(key, claims(workerId)))
    socket.setMaxListeners(500)
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, id) =>
        answerTo(socket, { id, method: 'heartbeat', params: { runs: [] } } as never),
      ),
    )
    expect(answers.every(({ result }) => result !== undefined)).toBe(true)
    socket.close()
  })
})
