import { createHash, createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jwtVerify } from 'jose'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startPeer } from '../../test/worker-peer/peer.ts'
import { enrol, httpClient } from './connection/http.ts'
import { loadIdentity } from './identity.ts'
import { WORKER_PATHS } from './protocol.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'trueup-identity-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const REQUEST = { method: 'POST', path: WORKER_PATHS.call, body: '{}' }
const keyOf = (jwk: object) => createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput)

test('the key is made once, is private, and signs short-lived tokens', async () => {
  const file = join(dir, 'identity.json')
  const identity = await loadIdentity(file)
  await expect(identity.token(REQUEST)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await identity.enrolled('wrk_1')
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const later = await loadIdentity(file)
  expect(later.workerId).toBe('wrk_1')
  expect(later.publicKey).toEqual(identity.publicKey)
  const expected = { audience: 'trueup-worker', issuer: 'wrk_1', maxTokenAge: '60s' }
  const { payload } = await jwtVerify(await later.token(REQUEST), keyOf(identity.publicKey), expected)
  expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(60)
  const bodySha256 = createHash('sha256').update('{}').digest('base64url')
  expect(payload).toMatchObject({ method: 'POST', path: WORKER_PATHS.call, bodySha256 })
  expect(payload.jti).not.toBe(
    (await jwtVerify(await later.token(REQUEST), keyOf(identity.publicKey), expected)).payload.jti,
  )
})

test('a damaged key file is named, with what to do', async () => {
  const file = join(dir, 'identity.json')
  writeFileSync(file, '{"privateKey": ')
  await expect(loadIdentity(file)).rejects.toMatchObject({ code: 'DATA_CORRUPT' })
})

test('a worker whose clock is wrong learns the time from the server', async () => {
  const peer = await startPeer()
  try {
    const identity = await loadIdentity(join(dir, 'identity.json'))
    const request = { token: peer.enrolment, name: 'n', kind: 'runner' as const, publicKey: identity.publicKey }
    await identity.enrolled(await enrol(peer.url, request))
    expect(identity.serverTime(Date.now() - 300_000)).toBe(true)
    expect(identity.serverTime(Date.now() - 3_600_000)).toBe(false)
    const http = httpClient(peer.url, identity)
    const body = { method: 'lease', params: { request: 'r' } }
    const answer = await http.request({ method: 'POST', path: WORKER_PATHS.call, body, timeoutMs: 5_000 })
    expect(await answer.json()).toEqual({ result: { grant: null } })
  } finally {
    await peer.close()
  }
})

test('a new key is on the disk before it is heard of, and the one before goes when it is taken', async () => {
  const file = join(dir, 'identity.json')
  const identity = await loadIdentity(file)
  await identity.enrolled('wrk_1')
  const before = identity.publicKey
  const next = await identity.nextKey()
  const restarted = await loadIdentity(file)
  expect([restarted.isRotating, restarted.publicKey]).toEqual([true, before])
  expect((await restarted.nextKey()).publicKey).toEqual(next.publicKey)
  expect((await jwtVerify(await next.proof(), keyOf(next.publicKey))).payload.iss).toBe('wrk_1')
  await restarted.adoptNext()
  const later = await loadIdentity(file)
  expect([later.isRotating, later.publicKey, later.workerId]).toEqual([false, next.publicKey, 'wrk_1'])
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toEqual(['privateKey', 'workerId'])
})
