import { beforeAll, expect, it } from 'vitest'
import { ask, type TestAnswer } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const PASSWORD = 'correct horse battery staple'
let now = Date.now()
const { server, admin } = useServer({ clock: { now: () => now } })
beforeAll(async () => {
  for (const name of ['ada', 'bob'])
    await admin.request('POST', '/api/v1/users', { name, email: `${name}@example.org`, password: PASSWORD })
})

async function cli(name: string, device: string): Promise<string> {
  return (await ask(server.url, null, 'POST', '/api/v1/session', { name, password: PASSWORD, device })).body.token
}

/** A browser's login: the cookie, and what it has to send with writes. */
async function browser(name: string): Promise<Record<string, string>> {
  const from = { 'x-trueup-client': 'web', origin: server.url, 'user-agent': 'Mozilla/5.0 (X11; Linux) Firefox/1' }
  const { headers } = await ask(server.url, null, 'POST', '/api/v1/session/browser', { name, password: PASSWORD }, from)
  return { ...from, cookie: headers.get('set-cookie')!.split(';')[0]! }
}

const sessions = async (token: string | null, more: Record<string, string> = {}, query = ''): Promise<TestAnswer> =>
  await ask(server.url, token, 'GET', `/api/v1/sessions${query}`, undefined, more)

it('lists logins with their device, address and last use, and no tokens that were made', async () => {
  const token = await cli('ada', 'trueup on laptop')
  const cookie = await browser('ada')
  await ask(server.url, token, 'POST', '/api/v1/tokens', { name: 'ci', scopes: ['read'] })
  const { body } = await sessions(token)
  expect(body.items).toHaveLength(2)
  expect(body.items).toContainEqual(
    expect.objectContaining({
      kind: 'cli',
      device: 'trueup on laptop',
      address: '127.0.0.1',
      current: true,
      user: 'ada',
    }),
  )
  expect(body.items).toContainEqual(
    expect.objectContaining({ kind: 'browser', device: 'Firefox on Linux', current: false }),
  )
  expect((await sessions(null, cookie)).body.items.filter((row: { current: boolean }) => row.current)).toMatchObject([
    { kind: 'browser' },
  ])
  // A browser's login that nobody used for half a day is over by itself.
  now += 13 * 3_600_000
  expect((await sessions(token)).body.items).toMatchObject([{ kind: 'cli' }])
  expect(JSON.stringify((await admin.request('GET', '/api/v1/audit?action=user.login')).body)).toContain('127.0.0.1')
})

it('ends one, or all others, of oneself only', async () => {
  const [one, two, three] = [await cli('ada', 'one'), await cli('ada', 'two'), await cli('ada', 'three')]
  const bob = await cli('bob', 'bobs')
  const idOf = async (token: string): Promise<string> =>
    (await sessions(token)).body.items.find((row: { current: boolean }) => row.current).id
  const status = async (token: string): Promise<number> =>
    (await ask(server.url, token, 'GET', '/api/v1/session')).status
  expect((await ask(server.url, one, 'DELETE', `/api/v1/sessions/${await idOf(two)}`)).status).toBe(200)
  expect([await status(one), await status(two)]).toEqual([200, 401])
  expect((await ask(server.url, bob, 'DELETE', `/api/v1/sessions/${await idOf(one)}`)).body.code).toBe('NOT_FOUND')
  expect((await ask(server.url, bob, 'DELETE', '/api/v1/sessions?user=ada')).body.code).toBe('FORBIDDEN')
  expect((await sessions(bob, {}, '?user=ada')).body.code).toBe('FORBIDDEN')
  await ask(server.url, one, 'DELETE', '/api/v1/sessions')
  expect([await status(one), await status(three), await status(bob)]).toEqual([200, 401, 200])
  expect((await admin.request('DELETE', '/api/v1/sessions?user=ada')).body.revoked).toHaveLength(1)
  expect(await status(one)).toBe(401)
})

it('ends the event streams of a session at once', async () => {
  const [mine, other] = [await cli('ada', 'mine'), await cli('ada', 'other')]
  const listen = (token: string) =>
    fetch(`${server.url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` } })
  const [kept, cut] = [await listen(mine), await listen(other)]
  const read = cut.body!.getReader()
  await read.read()
  const begun = performance.now()
  await ask(server.url, mine, 'DELETE', '/api/v1/sessions')
  while (!(await read.read()).done);
  // The next look by the clock is fifteen seconds away.
  expect(performance.now() - begun).toBeLessThan(10_000)
  const still = kept.body!.getReader()
  expect((await still.read()).done).toBe(false)
  await still.cancel()
})
