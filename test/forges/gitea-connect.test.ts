import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startTestServer, type Person, type TestServer } from '../../src/server/testing/app.ts'
import { allConnections } from '../../src/store/forges/connections.ts'
import { allRepositories } from '../../src/store/changes/repositories.ts'
import { type GiteaDouble, startGiteaDouble } from './gitea/double.ts'

let double: GiteaDouble
let server: TestServer
let admin: Person
beforeAll(async () => {
  double = await startGiteaDouble()
  server = await startTestServer()
  admin = await server.person('root', { kind: 'admin' })
  const { git } = double
  const tree = await git.git('hash-object', '-t', 'tree', '-w', '/dev/null')
  await git.move('main', await git.git('commit-tree', tree, '-m', 'Begin'))
})
afterAll(async () => {
  await server?.close()
  await double?.close()
})

const connect = (more: object = {}) =>
  admin.request('POST', '/api/v1/connections', {
    url: `${double.address}/owner/shop`,
    token: 'token-of-trueup-bot',
    ...more,
  })
const none = async () => {
  expect(await allConnections(server.store.db)).toEqual([])
  expect(await allRepositories(server.store.db)).toEqual([])
  expect(double.state.hooks).toEqual([])
}

it('names what is missing before anything is written', async () => {
  const { permissions } = double.state
  const answers: [object, number, string, RegExp][] = [
    [{ token: 'nobody’s'.replace('’', '') }, 502, 'FORGE_TOKEN', /401/],
    [{ url: `${double.address}/owner/none` }, 502, 'FORGE_GONE', /404/],
    [{ token: '1\n-----BEGIN RSA PRIVATE KEY-----' }, 400, 'INVALID_REQUEST', /says nothing to gitea/],
    [{ url: 'no address' }, 400, 'INVALID_REQUEST', /no URL/],
    [{ url: 'https://git.example.test/team/50%off' }, 400, 'INVALID_REQUEST', /a % in it/],
    [{ url: 'http://git.example.test/owner/shop' }, 400, 'INVALID_REQUEST', /https/],
    [{ url: `http://me:secret@127.0.0.1/owner/shop` }, 400, 'INVALID_REQUEST', /token-file/],
    [{ url: `${double.address}/owner` }, 400, 'INVALID_REQUEST', /no repository/],
  ]
  for (const [more, status, code, why] of answers) {
    const answer = await connect(more)
    expect([answer.status, answer.body.error?.code ?? answer.body.code]).toEqual([status, code])
    expect(JSON.stringify(answer.body)).toMatch(why)
    expect(JSON.stringify(answer.body)).not.toContain('secret')
  }
  permissions.set('trueup-bot', 'read')
  expect(JSON.stringify((await connect()).body)).toMatch(/FORGE_PERMISSION.*trueup-bot may not: write/)
  // Who only writes is not told what others may.
  permissions.set('trueup-bot', 'write')
  expect(JSON.stringify((await connect()).body)).toMatch(/FORGE_PERMISSION.*trueup-bot may not: ask what people may/)
  permissions.set('trueup-bot', 'admin')
  const member = await server.person('member')
  expect(
    (await member.request('POST', '/api/v1/connections', { url: `${double.address}/owner/shop`, token: 'x' })).status,
  ).toBe(403)
  await none()
})

it('connects, takes signed deliveries, refuses pushes, rotates and disconnects', async () => {
  const made = await connect()
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({
    name: 'shop',
    forge: 'gitea',
    connection: {
      url: `${double.address}/owner/shop`,
      account: 'trueup-bot',
      problem: null,
      webhook: true,
      requests: null,
    },
  })
  expect(made.body.connection.lookedAt).toEqual(expect.any(Number))
  expect(JSON.stringify(made.body)).not.toContain('token-of')
  expect((await connect({ name: 'again' })).body).toMatchObject({ code: 'CONFLICT' })

  const hookId = double.state.hooks[0]!.id
  const { headers, body } = double.delivery(hookId, 'push')
  const path = `${server.url}/api/v1/forge-hooks/${made.body.id}`
  const post = (its: { [name: string]: string }, text = body) =>
    fetch(path, { method: 'POST', headers: its, body: text })
  // Only a delivery that is taken orders a look; the clock orders some of its own.
  const taken = () => server.store.db.selectFrom('hookDeliveries').select('deliveryId').execute()
  expect((await post({ ...headers, 'x-gitea-signature': '00' })).status).toBe(401)
  expect(await taken()).toEqual([])
  const asked = double.asked.length
  expect((await post(headers)).status).toBe(202)
  expect(await taken()).toHaveLength(1)
  await vi.waitFor(() => expect(double.asked.length).toBeGreaterThan(asked), { timeout: 60_000 })
  expect((await fetch(`${path}x`, { method: 'POST', headers, body })).status).toBe(404)

  const authorization = `Basic ${Buffer.from(`root:${admin.token}`).toString('base64')}`
  const push = await fetch(`${server.url}/git/shop.git/info/refs?service=git-receive-pack`, {
    headers: { authorization },
  })
  expect([push.status, await push.text()]).toEqual([403, expect.stringContaining('push there')])
  const read = await fetch(`${server.url}/git/shop.git/info/refs?service=git-upload-pack`, {
    headers: { authorization },
  })
  expect(read.status).toBe(200)
  await read.text()

  const bot = double.state.users.find(({ login }) => login === 'trueup-bot')!
  bot.token = 'a-newer-one'
  const stale = await admin.request('POST', '/api/v1/repositories/shop/connection/look', {})
  expect(stale.body.connection.problem).toMatchObject({ code: 'FORGE_TOKEN' })
  const rotated = await admin.request('PUT', '/api/v1/repositories/shop/connection/token', { token: 'a-newer-one' })
  expect(rotated.body.connection).toMatchObject({ problem: null, webhook: true })
  expect(double.state.hooks).toHaveLength(1)
  expect((await post(headers)).status).toBe(401)

  const left = await admin.request('DELETE', '/api/v1/repositories/shop/connection')
  expect(left.body).toMatchObject({ webhookLeft: null, repository: { forge: 'builtin', connection: null } })
  expect(double.state.hooks).toEqual([])
  expect((await post(headers)).status).toBe(404)
  expect((await admin.request('POST', '/api/v1/repositories/shop/connection/look', {})).body).toMatchObject({
    connection: null,
  })
})
