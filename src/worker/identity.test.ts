import { createPublicKey, type JsonWebKeyInput } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
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

const keyOf = (jwk: object) => createPublicKey({ key: jwk, format: 'jwk' } as JsonWebKeyInput)

test('the key is made once, is private, and signs short-lived tokens', async () => {
  const file = join(dir, 'identity.json')
  const identity = await loadIdentity(file)
  await expect(identity.token()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await identity.enrolled('wrk_1')
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const later = await loadIdentity(file)
  expect(later.workerId).toBe('wrk_1')
  expect(later.publicKey).toEqual(identity.publicKey)
  const expected = { audience: 'trueup-worker', issuer: 'wrk_1', maxTokenAge: '60s' }
  const { payload } = await jwtVerify(await later.token(), keyOf(identity.publicKey), expected)
  expect(payload.exp! - payload.iat!).toBeLessThanOrEqual(60)
  expect(payload.jti).not.toBe((await jwtVerify(await later.token(), keyOf(identity.publicKey), expected)).payload.jti)
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
    identity.serverTime(Date.now() - 3_600_000)
    const http = httpClient(peer.url, identity)
    const body = { method: 'lease', params: { request: 'r' } }
    const answer = await http.request({ method: 'POST', path: WORKER_PATHS.call, body, timeoutMs: 5_000 })
    expect(await answer.json()).toEqual({ result: { grant: null } })
  } finally {
    await peer.close()
  }
})
