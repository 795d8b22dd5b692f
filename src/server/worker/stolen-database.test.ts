import { createHmac, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { ask } from '../testing/app.ts'
import { useServer } from '../testing/use-server.ts'
import { claims, jwt, newKey, proof } from '../testing/worker-keys.ts'
import { enrolWorker } from './enrol.ts'

const { server, admin } = useServer()
const POLL = `${WORKER_PATHS.events}?waitMs=0`
const poll = (token: string) => ask(server.url, token, 'GET', POLL)
const enrolment = async () => (await admin.request('POST', '/api/v1/workers/enrolments', {})).body.token as string

/** Every text and blob of every table, and what lies inside of those that are JSON. */
function everythingIn(database: DatabaseSync): Set<string> {
  const found = new Set<string>()
  const take = (value: unknown): void => {
    if (value instanceof Uint8Array) found.add(Buffer.from(value).toString('base64url'))
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(take)
    else if (typeof value === 'string') {
      found.add(value)
      if (/^[[{"]/.test(value)) take(jsonIn(value))
    }
  }
  for (const { name } of database.prepare("select name from sqlite_master where type = 'table'").all())
    for (const row of database.prepare(`select * from "${String(name)}"`).all()) Object.values(row).forEach(take)
  return found
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** PKCS #8 of an Ed25519 seed (RFC 8410). */
function keyOfSeed(seed: Buffer) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

const seedsIn = (text: string): Buffer[] =>
  (['hex', 'base64url', 'utf8'] as const)
    .map((encoding) => Buffer.from(text, encoding))
    .filter(({ length }) => length === 32)

it('gives no way to act as a worker', async () => {
  const key = newKey()
  const { workerId } = await enrolWorker(server.store, {
    token: await enrolment(),
    name: 'edge',
    kind: 'agent',
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: key.jwk.x },
  })
  const unused = await enrolment()
  const used = proof(key, workerId, { method: 'GET', path: POLL })
  expect((await poll(used)).status).toBe(200)

  const database = new DatabaseSync(join(server.dataDir, 'trueup.db'), { readOnly: true })
  const loot = [...everythingIn(database)].filter((text) => text.length >= 16)
  database.close()
  // It is the whole database that is looked through: the public key and the hash of the token are in it.
  expect(loot).toContain(key.jwk.x)
  expect(loot.some((text) => text.includes(unused))).toBe(false)

  const mine = newKey()
  const publicKey = { kty: 'OKP', crv: 'Ed25519', x: mine.jwk.x } as const
  for (const text of loot) {
    // As a token that enrols, one that is used up and one that is not.
    await expect(
      enrolWorker(server.store, { token: text, name: 'thief', kind: 'agent', publicKey }),
    ).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })
    // As the seed of a private key.
    for (const seed of seedsIn(text))
      expect(createPublicKey(keyOfSeed(seed)).export({ format: 'jwk' }).x).not.toBe(key.jwk.x)
  }

  const request = claims(workerId, { method: 'GET', path: POLL })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const spki = createPublicKey(key.privateKey)
  // The public half as if it were a shared secret, in each of its forms.
  const secrets = [
    key.jwk.x,
    Buffer.from(key.jwk.x, 'base64url'),
    JSON.stringify(key.jwk),
    spki.export({ type: 'spki', format: 'pem' }).toString(),
    spki.export({ type: 'spki', format: 'der' }),
  ]
  const forged = secrets.map((secret) => {
    const text = `${part({ alg: 'HS256', kid: key.jwk.x })}.${part({ ...request, jti: randomUUID() })}`
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
  })
  const { privateKey: _own, jwk } = mine
  const bodies = [
    ...forged,
    `${part({ alg: 'none' })}.${part(request)}.`,
    `${part({ alg: 'none' })}.${part(request)}.AA`,
    // Signed by a key of the thief's, which the token itself brings, or names as the worker's.
    jwt(mine, request, { alg: 'EdDSA', jwk }),
    jwt(mine, request, { alg: 'EdDSA', kid: key.jwk.x }),
    jwt(mine, request, { alg: 'EdDSA', kid: mine.jwk.x }),
    jwt(mine, request, { alg: 'EdDSA', jku: 'http://127.0.0.1/keys', x5u: 'http://127.0.0.1/cert' }),
    // What was used before.
    used,
    ...loot.filter((text) => /^[\w.~+/=-]+$/.test(text)).slice(0, 500),
  ]
  for (const token of bodies) expect((await poll(token)).status, token.slice(0, 60)).toBe(401)
  // The worker itself goes on.
  expect((await poll(proof(key, workerId, { method: 'GET', path: POLL }))).status).toBe(200)
})
