import { expect, it } from 'vitest'
import { ask, type TestAnswer } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

/** A proxy that is believed says where requests come from. */
const { server, admin } = useServer({ app: { trustProxy: ['127.0.0.1'] } })
const from = (token: string, address: string, method: string, path: string, body?: unknown): Promise<TestAnswer> =>
  ask(server.url, token, method, path, body, { 'x-forwarded-for': address })

async function tokenOf(scopes: string[]): Promise<string> {
  const { status, body } = await admin.request('POST', '/api/v1/tokens', { name: 'ci', scopes })
  expect(status).toBe(201)
  return body.token
}

it('lets a token be used from its addresses alone: API, git and event stream', async () => {
  await server.repository('shop')
  const token = await tokenOf(['read', 'from:10.0.0.0/8', 'from:2001:db8::/32'])
  for (const address of ['10.1.2.3', '2001:db8::7'])
    expect((await from(token, address, 'GET', '/api/v1/session')).status).toBe(200)
  const refused = await from(token, '192.0.2.1', 'GET', '/api/v1/session')
  expect([refused.status, refused.body.code]).toEqual([401, 'UNAUTHENTICATED'])
  expect(refused.body.why).toBe('the token "ci" is not good from 192.0.2.1')
  // Whoever stole it does not learn from where it would be.
  expect(JSON.stringify(refused.body)).not.toContain('10.0.0.0')
  const basic = { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` }
  const git = async (address: string): Promise<number> =>
    (
      await fetch(`${server.url}/git/shop.git/info/refs?service=git-upload-pack`, {
        headers: { ...basic, 'x-forwarded-for': address },
      })
    ).status
  expect([await git('10.1.2.3'), await git('192.0.2.1')]).toEqual([200, 401])
  const state = await fetch(`${server.url}/api/v1/state/stack_none/default`, {
    headers: { ...basic, 'x-forwarded-for': '192.0.2.1' },
  })
  expect([state.status, (await state.json()).why]).toEqual([401, 'the token "ci" is not good from 192.0.2.1'])
  expect((await from(token, '192.0.2.1', 'GET', '/api/v1/events')).status).toBe(401)
  await server.refusals.flush()
  const audit = await admin.request('GET', '/api/v1/audit?action=access.refused')
  expect(audit.body.items[0].data).toMatchObject({ kind: 'token', address: '192.0.2.1' })
})

it('makes no token that is good from elsewhere than the one that asks', async () => {
  const token = await tokenOf(['admin', 'from:10.0.0.0/8', 'from:192.0.2.0/24'])
  const make = async (scopes: string[]): Promise<number> =>
    (await from(token, '10.1.2.3', 'POST', '/api/v1/tokens', { name: 'more', scopes })).status
  expect(await make(['write', 'from:10.0.0.0/8'])).toBe(201)
  expect(await make(['write'])).toBe(403)
  expect(await make(['write', 'from:0.0.0.0/0'])).toBe(403)
  expect(await make(['write', 'from:10.0.0.0/8', 'from:198.51.100.1'])).toBe(403)
})

it.each([[['from:10.0.0.0/8']], [['write', 'from:10.0.0.0/99']], [['write', 'from:example.org']]])(
  'refuses %j by name',
  async (scopes) => {
    const { status, body } = await admin.request('POST', '/api/v1/tokens', { name: 'ci', scopes })
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST'])
  },
)
