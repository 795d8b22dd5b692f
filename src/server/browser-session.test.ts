import { beforeAll, describe, expect, it } from 'vitest'
import { SESSION_IDLE_MS, SESSION_LIFE_MS } from './auth/browser-session.ts'
import { LINK_LIFE_MS } from './auth/login-links.ts'
import { ask } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const PASSWORD = 'correct horse battery staple'
let now = Date.now()
const { server, admin } = useServer({ clock: { now: () => now } })
beforeAll(async () => {
  await admin.request('POST', '/api/v1/users', { name: 'ada', email: 'ada@example.org', password: PASSWORD })
  await admin.request('POST', '/api/v1/users', { name: 'bob', email: 'bob@example.org' })
})

/** As our own pages ask. */
const own = (): Record<string, string> => ({ 'x-trueup-client': 'web', origin: server.url })
const cookieOf = (headers: Headers): string => headers.getSetCookie()[0]?.split(';')[0] ?? ''
const link = async (body: unknown = {}, person = admin) => {
  const made = await person.request('POST', '/api/v1/session/links', body)
  return { ...made, code: String(made.body.url ?? '').split('#code=')[1] ?? '' }
}
const redeem = (code: string, headers: Record<string, string> = own()) =>
  ask(server.url, null, 'POST', '/api/v1/session/redeem', { code }, headers)
const session = async (user = 'ada') => cookieOf((await redeem((await link({ user })).code)).headers)
const get = (cookie: string) => ask(server.url, null, 'GET', '/api/v1/session', undefined, { cookie })

describe('a browser session', () => {
  it('by name and password is a cookie that scripts and other sites do not get', async () => {
    const login = { name: 'ada', password: PASSWORD }
    const answer = await ask(server.url, null, 'POST', '/api/v1/session/browser', login, own())
    expect(answer.status).toBe(201)
    expect(JSON.stringify(answer.body)).not.toContain('tus_')
    const [set] = answer.headers.getSetCookie()
    expect(set).toMatch(new RegExp(`^trueup-${new URL(server.url).port}=tus_`))
    for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(set).toContain(attribute)
    expect((await get(cookieOf(answer.headers))).body.user.name).toBe('ada')
  })

  it('counts as a cookie only, and a token as a header only', async () => {
    const token = (await session()).split('=')[1]!
    expect((await ask(server.url, token, 'GET', '/api/v1/session')).status).toBe(401)
    const name = `trueup-${new URL(server.url).port}`
    expect((await get(`${name}=${admin.token}`)).status).toBe(401)
  })

  it.each([
    ['without our header', { origin: 'SELF' }],
    ['without an origin', { 'x-trueup-client': 'web' }],
    ['from another site', { 'x-trueup-client': 'web', origin: 'https://evil.example' }],
    ['from another port of this host', { 'x-trueup-client': 'web', origin: 'http://127.0.0.1:1' }],
    ['from a page without an address', { 'x-trueup-client': 'web', origin: 'null' }],
  ])('refuses a write %s', async (_name, headers) => {
    const cookie = await session()
    const sent = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, v === 'SELF' ? server.url : v]))
    const refused = await ask(
      server.url,
      null,
      'POST',
      '/api/v1/tokens',
      { name: 'x', scopes: ['read'] },
      { cookie, ...sent },
    )
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN'])
    expect((await redeem((await link()).code, sent)).status).toBe(403)
  })

  it('writes from our own pages', async () => {
    const body = { name: 'x', scopes: ['read'] }
    const answer = await ask(server.url, null, 'POST', '/api/v1/tokens', body, { cookie: await session(), ...own() })
    expect(answer.status).toBe(201)
  })

  it('is another one after each login, and the one before is over', async () => {
    const first = await session()
    const again = await redeem((await link({ user: 'ada' })).code, { ...own(), cookie: first })
    expect(cookieOf(again.headers)).not.toBe(first)
    expect((await get(first)).status).toBe(401)
    expect((await get(cookieOf(again.headers))).status).toBe(200)
  })

  it('ends by logging out, which takes the cookie away', async () => {
    const cookie = await session()
    const out = await ask(server.url, null, 'DELETE', '/api/v1/session', undefined, { cookie, ...own() })
    expect(out.headers.getSetCookie()[0]).toMatch(/=;/)
    expect((await get(cookie)).status).toBe(401)
  })

  it('ends when nobody uses it, and however much it is used', async () => {
    const [idle, busy] = [await session(), await session()]
    const began = now
    while (now < began + SESSION_LIFE_MS - SESSION_IDLE_MS) {
      now += SESSION_IDLE_MS - 60_000
      expect((await get(busy)).status).toBe(200)
    }
    expect((await get(idle)).body.why).toContain('not used for too long')
    now = began + SESSION_LIFE_MS + 1
    expect((await get(busy)).body.why).toContain('expired')
  })

  it('ends at once where its account is disabled', async () => {
    const cookie = await session('bob')
    await admin.request('PATCH', '/api/v1/users/bob', { disabled: true })
    expect((await get(cookie)).status).toBe(401)
    await admin.request('PATCH', '/api/v1/users/bob', { disabled: false })
  })
})

describe('a one-time link', () => {
  it('works once', async () => {
    const { code, body } = await link({ user: 'ada' })
    expect(body).toMatchObject({ user: 'ada' })
    expect(body.url).toBe(`${server.url}/login#code=${code}`)
    expect((await redeem(code)).status).toBe(201)
    expect((await redeem(code)).status).toBe(401)
  })

  it('is over after ten minutes', async () => {
    const { code } = await link()
    now += LINK_LIFE_MS
    expect((await redeem(code)).status).toBe(401)
  })

  it('is not for a guess', async () => {
    expect((await redeem('x')).body.code).toBe('UNAUTHENTICATED')
  })

  it('for another is made by administrators only, and for one that is there', async () => {
    const ada = await server.person('carol')
    expect((await link({ user: 'root' }, ada)).status).toBe(403)
    expect((await link({ user: 'nobody' })).status).toBe(403)
    expect((await link({}, ada)).body.user).toBe('carol')
  })

  it('can no more than the token that made it', async () => {
    const narrow = await server.person('nora', { scopes: ['admin', 'repo:shop'] })
    const refused = await link({}, narrow)
    expect(refused.status).toBe(403)
    const writer = await server.person('wim', { scopes: ['write'] })
    expect((await link({}, writer)).status).toBe(403)
  })
})
