import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import type { JWTPayload } from 'jose'
import { logInByDevice } from '../../cli/device-login.ts'
import { createClient } from '../../cli/client.ts'
import { listAudit } from '../../store/audit/list.ts'
import { roleIn } from '../../store/people/members.ts'
import { teamsOfUser } from '../../store/people/teams.ts'
import { findUserByName, listUsers } from '../../store/people/users.ts'
import { type Person, startTestServer, type TestServer } from '../testing/app.ts'
import { CLIENT, openBrowser, startTestProvider, type TestProvider } from './testing/provider.ts'

const RULES = [
  { group: 'admins', admin: true },
  { group: 'payments', teams: ['payments'], roles: { shop: 'maintainer' } },
  { group: 'staff', roles: { shop: 'reader' } },
]
let skew = 0
let server: TestServer
let provider: TestProvider
let admin: Person
let shop: string
beforeAll(async () => {
  server = await startTestServer({ clock: { now: () => Date.now() + skew } })
  provider = await startTestProvider(['company', 'other'].map((name) => `${server.url}/api/v1/login/${name}/callback`))
  admin = await server.person('root', { kind: 'admin' })
  shop = (await server.repository('shop')).id
  const body = { issuer: provider.issuer, clientId: CLIENT.id, clientSecret: CLIENT.secret, rules: RULES }
  for (const name of ['company', 'other']) {
    const set = await admin.request('PUT', `/api/v1/login-providers/${name}`, body)
    expect(set.body).toMatchObject({
      name,
      hasSecret: true,
      callbackUrl: `${server.url}/api/v1/login/${name}/callback`,
    })
    expect(JSON.stringify(set.body)).not.toContain(CLIENT.secret)
  }
}, 180_000)
afterEach(() => {
  skew = 0
  provider.tamper = null
})
afterAll(async () => {
  await server?.close()
  await provider?.stop()
})

type Browser = ReturnType<typeof openBrowser>
const isOver = (at: URL): boolean => at.origin === server.url && at.pathname === '/login'
const isBack = (at: URL): boolean => at.pathname.endsWith('/callback')
const start = (name = 'company', to = ''): string => `${server.url}/api/v1/login/${name}/start${to}`
/** Address of the page that a login ends at. */
const logIn = async (subject: string, browser = openBrowser(), from = start()): Promise<URL> => {
  provider.present = subject
  return (await browser.visit(from, isOver)).at
}
const redeem = async (at: URL, browser: Browser): Promise<number> => {
  const body = JSON.stringify({ code: new URLSearchParams(at.hash.slice(1)).get('code') })
  const headers = { origin: server.url, 'x-trueup-client': 'web', 'content-type': 'application/json' }
  return (await browser.once(`${server.url}/api/v1/session/redeem`, { method: 'POST', headers, body })).status
}
const whoami = async (browser: Browser) => await browser.once(`${server.url}/api/v1/session`)
const userNamed = (name: string) => findUserByName(server.store.db, name)
const known = (subject: string, preferred_username: string, groups: string[]): void =>
  void provider.people.set(subject, { preferred_username, groups })
const REFUSED = '?failed=LOGIN_REFUSED'

it('somebody new gets an account with what the rules give to their groups, and a session', async () => {
  known('s-ada', 'ada@example.org', ['payments', 'staff'])
  const browser = openBrowser()
  const at = await logIn('s-ada', browser, start('company', '?to=%2Frepositories%2Fshop'))
  expect(at.searchParams.get('to')).toBe('/repositories/shop')
  expect(await redeem(at, browser)).toBe(201)
  expect(await (await whoami(browser)).json()).toMatchObject({ user: { name: 'ada', kind: 'member', email: '' } })
  const ada = (await userNamed('ada'))!
  expect(await roleIn(server.store.db, shop, ada.id)).toBe('maintainer')
  expect((await teamsOfUser(server.store.db, ada.id)).map(({ name }) => name)).toEqual(['payments'])
  const { items } = await listAudit(server.store.db, {})
  expect(items.map(({ action }) => action)).toEqual(
    expect.arrayContaining(['user.from_provider', 'user.rights_from_provider', 'user.login', 'login-provider.set']),
  )
  expect(JSON.stringify(items)).not.toContain(CLIENT.secret)
  expect(await redeem(at, browser)).toBe(401)
})

it('the next login brings rights to what they are now; who is in no group any more is out at once', async () => {
  known('s-bob', 'bob', ['payments', 'admins'])
  const browser = openBrowser()
  await redeem(await logIn('s-bob', browser), browser)
  expect(await userNamed('bob')).toMatchObject({ kind: 'admin' })
  known('s-bob', 'bob', ['staff'])
  await logIn('s-bob')
  const bob = (await userNamed('bob'))!
  expect(bob.kind).toBe('member')
  expect(await roleIn(server.store.db, shop, bob.id)).toBe('reader')
  expect(await teamsOfUser(server.store.db, bob.id)).toEqual([])
  expect((await whoami(browser)).status).toBe(200)

  known('s-bob', 'bob', ['visitors'])
  expect((await logIn('s-bob')).search).toBe('?failed=FORBIDDEN')
  expect(await userNamed('bob')).toMatchObject({ disabledAt: expect.any(Number) })
  expect(await roleIn(server.store.db, shop, bob.id)).toBeNull()
  expect((await whoami(browser)).status).toBe(401)
  known('s-bob', 'bob', ['staff'])
  expect((await logIn('s-bob')).hash).toMatch(/^#code=/)
  // Whom an administrator has disabled, groups do not let in again.
  await admin.request('PATCH', '/api/v1/users/bob', { disabled: true })
  expect((await logIn('s-bob')).search).toBe('?failed=FORBIDDEN')
})

it('a name at the provider makes nobody an account that is there already', async () => {
  const eve = await server.person('eve', { kind: 'admin' })
  known('s-eve', 'eve', ['staff'])
  known('s-root', 'admin', ['staff'])
  await logIn('s-eve')
  await logIn('s-root')
  expect((await userNamed('eve-2'))!.id).not.toBe(eve.id)
  expect(await userNamed('admin')).toBeUndefined()
  expect((await eve.request('GET', '/api/v1/session')).body).toMatchObject({ user: { name: 'eve', kind: 'admin' } })
})

it('an answer is good once, in the browser that asked, for the provider that was asked', async () => {
  known('s-cy', 'cy', ['staff'])
  provider.present = 's-cy'
  const browser = openBrowser()
  const { at: back } = await browser.visit(start(), isBack)
  expect((await openBrowser().visit(back.href, isOver)).at.search).toBe(REFUSED)
  const swapped = new URL(back.href.replace('/company/', '/other/'))
  expect((await browser.visit(swapped.href, isOver)).at.search).toBe(REFUSED)
  // That look has used it up.
  expect((await browser.visit(back.href, isOver)).at.search).toBe(REFUSED)

  const { at: good } = await browser.visit(start(), isBack)
  expect((await browser.visit(good.href, isOver)).at.hash).toMatch(/^#code=/)
  const { at: next } = await browser.visit(start(), isBack)
  const replayed = new URL(next)
  replayed.searchParams.set('code', good.searchParams.get('code')!)
  expect((await browser.visit(replayed.href, isOver)).at.search).toBe(REFUSED)

  const { at: mixed } = await browser.visit(start(), isBack)
  expect(mixed.searchParams.get('iss')).toBe(provider.issuer)
  mixed.searchParams.set('iss', 'https://another.example.org')
  expect((await browser.visit(mixed.href, isOver)).at.search).toBe(REFUSED)
})

it.each<[string, (claims: JWTPayload) => { claims: JWTPayload; foreignKey?: boolean }]>([
  ['of another audience', (claims) => ({ claims: { ...claims, aud: 'another' } })],
  ['of another issuer', (claims) => ({ claims: { ...claims, iss: 'https://another.example.org' } })],
  ['of another login', (claims) => ({ claims: { ...claims, nonce: 'another' } })],
  ['of no login', ({ nonce: _nonce, ...claims }) => ({ claims })],
  ['that has ended', (claims) => ({ claims: { ...claims, exp: claims.iat! - 3_600, iat: claims.iat! - 7_200 } })],
  ['by the key of somebody else', (claims) => ({ claims, foreignKey: true })],
])('a token %s logs nobody in', async (_name, tamper) => {
  known('s-mal', 'mal', ['admins'])
  provider.tamper = tamper
  expect((await logIn('s-mal')).search).toBe(REFUSED)
  expect(await userNamed('mal')).toBeUndefined()
})

it('keys of the provider may change, and its clock be off a little', async () => {
  known('s-kim', 'kim', ['staff'])
  expect((await logIn('s-kim')).hash).toMatch(/^#code=/)
  await provider.rotateKeys()
  expect((await logIn('s-kim')).hash).toMatch(/^#code=/)
  for (const [off, verdict] of [
    [40_000, true],
    [-40_000, true],
    [3 * 3_600_000, false],
    [-3 * 3_600_000, false],
  ] as const) {
    skew = off
    provider.tamper = (claims) => ({ claims: { ...claims, nbf: claims.iat! } })
    const { hash, search } = await logIn('s-kim')
    expect({ off, verdict: hash !== '', search }).toEqual({ off, verdict, search: verdict ? '' : REFUSED })
  }
})

it('a command line logs in by a browser elsewhere, once', async () => {
  known('s-lin', 'lin', ['staff'])
  provider.present = 's-lin'
  const client = createClient({ url: server.url, token: null, source: 'none' })
  const said: string[] = []
  const signal = new AbortController().signal
  const token = logInByDevice(client, {
    provider: 'company',
    device: 'laptop',
    note: (line) => said.push(line),
    signal,
  })
  await expect.poll(() => said.length, { timeout: 180_000 }).toBe(2)
  const [url] = /http\S+/.exec(said[0]!)!
  const browser = openBrowser()
  const { at, answer } = await browser.visit(url)
  const field = (html: string, name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)![1]!
  const page = await answer!.text()
  const form = new URLSearchParams({
    xsrf: field(page, 'xsrf'),
    user_code: field(page, 'user_code'),
    confirm: 'yes',
  })
  const confirmed = await browser.once(new URL('/device', at).href, {
    method: 'POST',
    body: form.toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  await browser.visit(new URL(confirmed.headers.get('location')!, at).href)
  const mine = createClient({ url: server.url, token: await token, source: 'login' })
  const headers = { authorization: `Bearer ${mine.connection.token}` }
  expect(await (await fetch(`${server.url}/api/v1/session`, { headers })).json()).toMatchObject({
    user: { name: 'lin' },
  })
}, 180_000)

it('a provider that is not what it was said to be is refused when it is set up; one that goes takes its logins along', async () => {
  const set = async (body: object) => await admin.request('PUT', '/api/v1/login-providers/wrong', body)
  const body = { issuer: `${provider.issuer}/elsewhere`, clientId: 'x', rules: RULES }
  expect((await set(body)).body).toMatchObject({ code: expect.stringMatching(/^LOGIN_/) })
  expect((await set({ ...body, issuer: 'http://login.example.org' })).body).toMatchObject({ code: 'INVALID_REQUEST' })
  expect((await set({ ...body, issuer: provider.issuer, rules: [] })).status).toBe(400)
  expect((await set({ ...body, issuer: provider.issuer, rules: [{ group: 'a', rolse: {} }] })).status).toBe(400)
  const member = await server.person('member')
  expect((await member.request('GET', '/api/v1/login-providers')).status).toBe(403)
  const moved = { ...body, issuer: 'http://127.0.0.1:1' }
  expect((await admin.request('PUT', '/api/v1/login-providers/company', moved)).status).toBe(409)

  known('s-mo', 'mo', ['staff'])
  const browser = openBrowser()
  await redeem(await logIn('s-mo', browser, start('other')), browser)
  expect((await admin.request('DELETE', '/api/v1/login-providers/other')).status).toBe(200)
  expect((await whoami(browser)).status).toBe(401)
  expect((await logIn('s-mo', browser, start('other'))).search).toBe('?failed=NOT_FOUND')
  expect((await listUsers(server.store.db)).items.map(({ name }) => name)).toContain('mo')
})
