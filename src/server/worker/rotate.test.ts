import { once } from 'node:events'
import { beforeEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { KEY_OVERLAP_MS } from '../../domain/wire/request-proof.ts'
import { KeyRequest, WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { getWorker } from '../../store/workers/workers.ts'
import { ask } from '../testing/app.ts'
import { useServer } from '../testing/use-server.ts'
import { claims, jwt, newKey, proof, type TestKey } from '../testing/worker-keys.ts'
import { createWorkerIdentity } from './identity.ts'
import { rotateKey } from './rotate.ts'

const { server, admin } = useServer()
let workerId = ''
let first: TestKey
let next: TestKey

beforeEach(async () => {
  first = newKey()
  next = newKey()
  const { body } = await admin.request('POST', '/api/v1/workers/enrolments', {})
  const wish = { token: body.token, name: `w-${first.jwk.x}`.slice(0, 60), kind: 'agent', publicKey: first.jwk }
  workerId = (await ask(server.url, null, 'POST', WORKER_PATHS.enrol, wish)).body.workerId
})

const POLL = `${WORKER_PATHS.events}?waitMs=0`
const poll = (key: TestKey) => ask(server.url, proof(key, workerId, { method: 'GET', path: POLL }), 'GET', POLL)
const bodyFor = (key: TestKey, of = key, worker = workerId) => ({
  publicKey: key.jwk,
  proof: jwt(of, { ...claims(worker), aud: 'trueup-worker-key' }),
})
const rotate = (signer: TestKey, body: object = bodyFor(next)) =>
  ask(
    server.url,
    proof(signer, workerId, { method: 'POST', path: WORKER_PATHS.key, body }),
    'POST',
    WORKER_PATHS.key,
    body,
  )
const seen = async () => (await getWorker(server.store.db, workerId))!

it('puts a new key in place; both count for the overlap, and an event says so', async () => {
  expect((await rotate(first)).status).toBe(200)
  expect([(await poll(first)).status, (await poll(next)).status]).toEqual([200, 200])
  const { formerUntil } = (await rotate(first)).body
  const identity = createWorkerIdentity({
    store: { ...server.store, clock: { now: () => formerUntil - KEY_OVERLAP_MS } } as typeof server.store,
  })
  await identity.assertTrusted({ workerId, keyId: first.jwk.x })
  const after = createWorkerIdentity({
    store: { ...server.store, clock: { now: () => formerUntil } } as typeof server.store,
  })
  await expect(after.assertTrusted({ workerId, keyId: first.jwk.x })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await after.assertTrusted({ workerId, keyId: next.jwk.x })
  const { body } = await admin.request('GET', '/api/v1/audit?limit=5')
  expect(body.items.map(({ action }: { action: string }) => action)).toContain('worker.rotate')
})

it('takes a repeat of either key, and gives it the same end', async () => {
  const { body } = await rotate(first)
  expect([(await rotate(first)).body, (await rotate(next)).body]).toEqual([body, body])
})

it('takes none that a replaced key brings, nor the one before, nor one that nobody holds', async () => {
  await rotate(first)
  const third = newKey()
  expect((await rotate(first, bodyFor(third))).body).toMatchObject({ code: 'FORBIDDEN' })
  expect((await rotate(next, bodyFor(first))).body).toMatchObject({ code: 'FORBIDDEN' })
  expect((await rotate(next, bodyFor(third, newKey()))).body).toMatchObject({ code: 'FORBIDDEN' })
  expect((await rotate(next, bodyFor(third, third, 'worker_other'))).body).toMatchObject({ code: 'FORBIDDEN' })
  expect((await rotate(newKey())).status).toBe(401)
  expect((await seen()).publicKey).toEqual(next.jwk)
  expect((await rotate(next, bodyFor(third))).status).toBe(200)
  expect((await poll(first)).status).toBe(401)
})

it('ends with the worker', async () => {
  await rotate(first)
  await admin.request('DELETE', `/api/v1/workers/${workerId}`)
  expect([(await poll(first)).status, (await poll(next)).status]).toEqual([401, 401])
  const body = KeyRequest.parse(bodyFor(newKey()))
  const held = { workerId, keyId: next.jwk.x, bodySha256: null }
  await expect(rotateKey(server.store, held, body)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  expect((await admin.request('POST', `/api/v1/workers/${workerId}/rotation`)).body).toMatchObject({ code: 'CONFLICT' })
})

it('is asked for by people: at once over the socket, and again at the next hello', async () => {
  const token = proof(first, workerId, { method: 'GET', path: WORKER_PATHS.socket })
  const socket = new WebSocket(server.url.replace('http', 'ws') + WORKER_PATHS.socket, {
    headers: { authorization: `Bearer ${token}` },
  })
  const heard: { event?: string; result?: { rotateKey?: boolean } }[] = []
  socket.on('message', (data) => heard.push(JSON.parse((data as Buffer).toString())))
  await once(socket, 'open')
  await expect.poll(() => heard.map(({ event }) => event)).toContain('watches')
  expect((await admin.request('POST', `/api/v1/workers/${workerId}/rotation`)).status).toBe(202)
  await expect.poll(() => heard).toContainEqual({ event: 'rotateKey' })
  const capabilities = ['rotateKey']
  const params = { protocol: 2, capabilities, version: '0', hostname: 'h', pools: [], slots: 1, holding: [] }
  const answers = () => heard.flatMap(({ result }) => (result ? [result.rotateKey] : []))
  socket.send(JSON.stringify({ id: 1, method: 'hello', params }))
  await expect.poll(answers).toEqual([true])
  await rotate(first)
  socket.send(JSON.stringify({ id: 2, method: 'hello', params }))
  await expect.poll(answers).toEqual([true, undefined])
  socket.close()
})

it('is not asked of a worker whose version cannot', async () => {
  const params = { protocol: 1, version: '0.1.0', hostname: 'h', pools: [], slots: 1, holding: [] }
  const body = { method: 'hello', params }
  const token = proof(first, workerId, { method: 'POST', path: WORKER_PATHS.call, body })
  expect((await ask(server.url, token, 'POST', WORKER_PATHS.call, body)).status).toBe(200)
  const refused = await admin.request('POST', `/api/v1/workers/${workerId}/rotation`)
  expect(refused.body).toMatchObject({ code: 'CONFLICT', why: expect.stringContaining('0.1.0') })
})
