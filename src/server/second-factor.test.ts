import { createHmac } from 'node:crypto'
import { Secret } from 'otpauth'
import { beforeAll, describe, expect, it } from 'vitest'
import { ask, type TestAnswer } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const PASSWORD = 'correct horse battery staple'
const OWN = '/api/v1/session/second-factor'
const STEP = 30_000
let now = Date.UTC(2026, 10, 30)
const { server, admin } = useServer({ clock: { now: () => now }, app: { trustProxy: ['127.0.0.1'] } })

/** Codes by RFC 6238, without the library that the server has. */
function codeOf(secret: string, at = now): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP)))
  const hash = createHmac('sha1', Buffer.from(Secret.fromBase32(secret).bytes))
    .update(counter)
    .digest()
  const truncated = hash.readUInt32BE(hash[19]! & 15) & 0x7fffffff
  return String(truncated % 1_000_000).padStart(6, '0')
}

/** Each from an address of its own: how often one may log in from one is not what is looked at here. */
let addresses = 0
function login(name: string, code?: string): Promise<TestAnswer> {
  const body = { name, password: PASSWORD, ...(code !== undefined && { code }) }
  return ask(server.url, null, 'POST', '/api/v1/session', body, { 'x-forwarded-for': `192.0.2.${++addresses}` })
}

let people = 0
async function person(): Promise<string> {
  const name = `p${++people}`
  await admin.request('POST', '/api/v1/users', { name, email: `${name}@example.org`, password: PASSWORD })
  return name
}

async function enrolled(): Promise<{ name: string; token: string; secret: string; recovery: string[] }> {
  const name = await person()
  const { token } = (await login(name)).body
  const { secret } = (await ask(server.url, token, 'POST', OWN)).body
  const confirmed = await ask(server.url, token, 'POST', `${OWN}/confirm`, { code: codeOf(secret) })
  now += STEP
  return { name, token, secret, recovery: confirmed.body.recoveryCodes }
}

describe('a second factor', () => {
  it('counts once it was confirmed, and is then asked for at each login', async () => {
    const name = await person()
    const { token } = (await login(name)).body
    const begun = await ask(server.url, token, 'POST', OWN)
    expect(begun.body.uri).toMatch(new RegExp(`^otpauth://totp/Trueup:${name}\\?.*secret=${begun.body.secret}`))
    expect((await login(name)).status).toBe(201)
    const wrong = await ask(server.url, token, 'POST', `${OWN}/confirm`, { code: '000000' })
    expect(wrong.body.code).toBe('SECOND_FACTOR_WRONG')
    const { secret } = begun.body
    const confirmed = await ask(server.url, token, 'POST', `${OWN}/confirm`, { code: codeOf(secret) })
    expect(confirmed.body.recoveryCodes).toHaveLength(10)
    expect((await ask(server.url, token, 'GET', OWN)).body).toMatchObject({
      enrolledAt: now,
      provenAt: now,
      owed: false,
    })
    expect((await login(name)).body).toMatchObject({ code: 'SECOND_FACTOR_REQUIRED' })
    now += STEP
    expect((await login(name, codeOf(secret))).status).toBe(201)
    // Neither the secret nor a code stands anywhere in the database.
    const rows = JSON.stringify([
      await server.store.db.selectFrom('secondFactors').selectAll().execute(),
      await server.store.db.selectFrom('recoveryCodes').selectAll().execute(),
    ])
    for (const hidden of [secret, ...confirmed.body.recoveryCodes]) expect(rows).not.toContain(hidden)
  })

  it('takes each code once, within a step of the right time', async () => {
    const { name, secret } = await enrolled()
    const code = codeOf(secret)
    const both = await Promise.all([login(name, code), login(name, code)])
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 401])
    expect((await login(name, codeOf(secret, now - STEP))).status).toBe(401)
    now += 61_000
    expect((await login(name, codeOf(secret, now + STEP))).status).toBe(201)
    expect((await login(name, codeOf(secret, now))).status).toBe(401)
    now += 5 * STEP
    expect((await login(name, codeOf(secret, now - 3 * STEP))).status).toBe(401)
  })

  it('makes whoever guesses wait, however right the next code is', async () => {
    const { name, token, secret } = await enrolled()
    const prove = (code: string): Promise<TestAnswer> => ask(server.url, token, 'POST', `${OWN}/prove`, { code })
    for (let at = 0; at < 5; at++) expect((await prove('12345x'.replace('x', String(at)))).status).toBe(401)
    expect((await prove(codeOf(secret))).body.code).toBe('TOO_MANY_REQUESTS')
    expect((await login(name, codeOf(secret))).body.code).toBe('TOO_MANY_REQUESTS')
    now += 61_000
    expect((await prove(codeOf(secret))).status).toBe(200)
  })

  it('is replaced by a recovery code once, and taken away by its owner or an administrator', async () => {
    const { name, token, secret, recovery } = await enrolled()
    expect((await login(name, recovery[0])).status).toBe(201)
    expect((await login(name, recovery[0])).body.code).toBe('SECOND_FACTOR_WRONG')
    expect((await login(name, recovery[1]!.toUpperCase().replaceAll('-', ' '))).status).toBe(201)
    expect((await ask(server.url, token, 'GET', OWN)).body.recoveryCodesLeft).toBe(8)
    const fresh = await ask(server.url, token, 'POST', `${OWN}/recovery-codes`, { code: codeOf(secret) })
    expect((await login(name, recovery[2])).status).toBe(401)
    expect((await login(name, fresh.body.recoveryCodes[0])).status).toBe(201)
    expect((await ask(server.url, token, 'DELETE', `/api/v1/users/${name}/second-factor`)).status).toBe(403)
    expect((await admin.request('DELETE', `/api/v1/users/${name}/second-factor`)).status).toBe(200)
    expect((await ask(server.url, token, 'GET', OWN)).body).toMatchObject({ enrolledAt: null, recoveryCodesLeft: 0 })
  })
})

describe('the rule of the server', () => {
  beforeAll(async () => {
    expect((await admin.request('PUT', '/api/v1/second-factor-rule', { rule: 'everyone' })).status).toBe(200)
  })

  it('lets accounts with a password do nothing before they have one', async () => {
    const name = await person()
    const { token } = (await login(name)).body
    const refused = await ask(server.url, token, 'GET', '/api/v1/repositories')
    expect([refused.status, refused.body.code]).toEqual([403, 'SECOND_FACTOR_MISSING'])
    expect((await ask(server.url, token, 'GET', '/api/v1/session')).body.owesSecondFactor).toBe(true)
    expect((await ask(server.url, token, 'POST', '/api/v1/tokens', { name: 'x', scopes: ['read'] })).status).toBe(403)
    const { secret } = (await ask(server.url, token, 'POST', OWN)).body
    await ask(server.url, token, 'POST', `${OWN}/confirm`, { code: codeOf(secret) })
    expect((await ask(server.url, token, 'GET', '/api/v1/repositories')).status).toBe(200)
    expect((await ask(server.url, token, 'PUT', '/api/v1/second-factor-rule', { rule: 'off' })).status).toBe(403)
  })

  it('asks nothing of accounts without a password, and of members only where it says everyone', async () => {
    expect((await admin.request('GET', '/api/v1/repositories')).status).toBe(200)
    await admin.request('PUT', '/api/v1/second-factor-rule', { rule: 'administrators' })
    const name = await person()
    const { token } = (await login(name)).body
    expect((await ask(server.url, token, 'GET', '/api/v1/repositories')).status).toBe(200)
    await admin.request('PATCH', `/api/v1/users/${name}`, { kind: 'admin' })
    expect((await ask(server.url, token, 'GET', '/api/v1/repositories')).body.code).toBe('SECOND_FACTOR_MISSING')
  })
})
