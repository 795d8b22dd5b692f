import { beforeAll, describe, expect, it } from 'vitest'
import { ask, startTestServer } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const PASSWORD = 'correct horse battery staple'
let now = Date.now()
const { server, admin } = useServer({ clock: { now: () => now } })
beforeAll(async () => {
  await admin.request('POST', '/api/v1/users', { name: 'ada', email: 'ada@example.org', password: PASSWORD })
})

const login = (name: string, password: string) => ask(server.url, null, 'POST', '/api/v1/session', { name, password })

it('leaves the audit chain whole, however many guess while others write', async () => {
  // A server of its own: guessing uses up how often one may log in.
  const guessed = await startTestServer()
  try {
    const root = await guessed.person('root', { kind: 'admin' })
    await root.request('POST', '/api/v1/users', { name: 'ada', email: 'ada@example.org', password: PASSWORD })
    const people = await Promise.all(['kim', 'lee', 'mia'].map((name) => guessed.person(name)))
    const wrong = { name: 'ada', password: 'y'.repeat(20) }
    const answers = await Promise.all([
      ...Array.from({ length: 9 }, () => ask(guessed.url, null, 'POST', '/api/v1/session', wrong)),
      ...people.flatMap((person) =>
        Array.from({ length: 6 }, (_, i) =>
          person.request('POST', '/api/v1/tokens', { name: `t${i}`, scopes: ['read'] }),
        ),
      ),
    ])
    expect(answers.map(({ status }) => status)).toEqual([...Array(9).fill(401), ...Array(18).fill(201)])
    expect((await root.request('POST', '/api/v1/audit/verify', {})).body).toMatchObject({ ok: true, total: 0 })
  } finally {
    await guessed.close()
  }
})

describe('logging in', () => {
  it('gives a token that works until it is revoked', async () => {
    const { status, body } = await login('ada', PASSWORD)
    expect(status).toBe(201)
    expect(body.token).toMatch(/^tut_[\w-]{43}$/)
    const session = await ask(server.url, body.token, 'GET', '/api/v1/session')
    expect(session.body.user).toMatchObject({ name: 'ada', kind: 'member' })
    await ask(server.url, body.token, 'DELETE', '/api/v1/session')
    const after = await ask(server.url, body.token, 'GET', '/api/v1/session')
    expect([after.status, after.body.code]).toEqual([401, 'UNAUTHENTICATED'])
    expect(after.body.why).toContain('revoked')
  })

  it('says the same to a wrong password and to a name that nobody has', async () => {
    const [wrong, nobody] = [await login('ada', 'x'.repeat(20)), await login('nobody', PASSWORD)]
    expect(wrong.status).toBe(401)
    expect(wrong.body).toEqual(nobody.body)
  })

  it('never shows a hash', async () => {
    const users = await admin.request('GET', '/api/v1/users')
    expect(JSON.stringify(users.body)).not.toMatch(/argon2|hash/i)
  })

  it('is over after its time', async () => {
    const person = await server.person('eve', { expiresAt: now + 60_000 })
    expect((await person.request('GET', '/api/v1/session')).status).toBe(200)
    now += 61_000
    const late = await person.request('GET', '/api/v1/session')
    expect(late.body.why).toContain('expired')
  })

  it('of a disabled person ends at once, and a new one is refused', async () => {
    const { body } = await login('ada', PASSWORD)
    await admin.request('PATCH', '/api/v1/users/ada', { disabled: true })
    expect((await ask(server.url, body.token, 'GET', '/api/v1/session')).status).toBe(401)
    expect((await login('ada', PASSWORD)).status).toBe(401)
    await admin.request('PATCH', '/api/v1/users/ada', { disabled: false })
    expect((await login('ada', PASSWORD)).status).toBe(201)
  })

  it('by a changed password ends all other logins, and the old password is over', async () => {
    const [mine, other] = [(await login('ada', PASSWORD)).body.token, (await login('ada', PASSWORD)).body.token]
    const change = (current: string, password: string) =>
      ask(server.url, mine, 'PUT', '/api/v1/session/password', { current, password })
    const refused = await change('x'.repeat(20), 'another horse battery')
    expect([refused.status, refused.body.why]).toEqual([403, 'the current password is wrong'])
    expect((await change(PASSWORD, 'another horse battery')).status).toBe(200)
    expect((await ask(server.url, mine, 'GET', '/api/v1/session')).status).toBe(200)
    expect((await ask(server.url, other, 'GET', '/api/v1/session')).status).toBe(401)
    expect((await login('ada', PASSWORD)).status).toBe(401)
    expect((await change('another horse battery', PASSWORD)).status).toBe(200)
  })

  it('is slowed down by address', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 14 }, () => login('nobody', 'x').then(({ status }) => status)),
    )
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0)
    const refused = await login('nobody', 'x')
    expect(refused.body).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
  })
})

describe('tokens', () => {
  it('cannot make stronger ones than themselves', async () => {
    const narrow = await server.person('nora', { scopes: ['admin', 'repo:shop'] })
    expect((await narrow.request('POST', '/api/v1/tokens', { name: 'x', scopes: ['read'] })).status).toBe(403)
    const writer = await server.person('wim', { scopes: ['write'] })
    expect((await writer.request('POST', '/api/v1/tokens', { name: 'x', scopes: ['read'] })).status).toBe(403)
  })

  it('of other people are for administrators', async () => {
    const person = await server.person('otto')
    expect((await person.request('POST', '/api/v1/tokens', { name: 'x', scopes: ['read'], user: 'root' })).status).toBe(
      403,
    )
    expect((await person.request('GET', '/api/v1/tokens?user=root')).status).toBe(403)
    const made = await admin.request('POST', '/api/v1/tokens', { name: 'x', scopes: ['read'], user: 'otto' })
    expect(made.body.info).toMatchObject({ user: 'otto', scopes: ['read'] })
  })

  it('need a power beside the repositories', async () => {
    const { status, body } = await admin.request('POST', '/api/v1/tokens', { name: 'x', scopes: ['repo:shop'] })
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST'])
    expect(body.why).toMatch(/^body\.scopes: /)
  })
})

describe('the last administrator', () => {
  it('can be neither disabled nor demoted', async () => {
    for (const change of [{ disabled: true }, { kind: 'member' }]) {
      const { status, body } = await admin.request('PATCH', '/api/v1/users/root', change)
      expect([status, body.code]).toEqual([409, 'CONFLICT'])
    }
    expect((await admin.request('GET', '/api/v1/session')).status).toBe(200)
  })
})
