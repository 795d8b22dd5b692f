import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setVariable } from '../engine/stacks/change-variable.ts'
import { type Person, startTestServer, type TestServer } from './testing/app.ts'

/** What advisories of the peers were about, asked of this server with harmless input. docs/security.md has the table. */
let server: TestServer
let admin: Person
let reader: Person
let maintainer: Person
let repositoryId: string
beforeAll(async () => {
  server = await startTestServer()
  admin = await server.person('root', { kind: 'admin' })
  reader = await server.person('reader')
  maintainer = await server.person('maintainer')
  const roles = { [reader.id]: 'reader', [maintainer.id]: 'maintainer' } as const
  repositoryId = (await server.repository('shop', roles)).id
}, 180_000)
afterAll(() => server?.close())

describe('CVE-2025-59538, -59537, -59531 of Argo CD: a stranger ends the server with one request', () => {
  const BODIES: [string, string][] = [
    ['nothing', ''],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['what a push is, without its parts', '{"resource":{"refUpdates":[]},"repository":null,"commits":null}'],
    ['depth', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['a prototype', '{"__proto__":{"name":1},"constructor":{"prototype":{}}}'],
    ['bytes', '\u0000\ufffd\u0000'],
  ]
  const HEADERS: Record<string, string>[] = [
    { 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': '' },
    { 'x-gitea-event': 'push', 'x-gitea-signature': 'zz' },
    { 'x-vss-activityid': '1', 'x-event-key': 'repo:refs_changed' },
  ]
  it.each(BODIES)('%s', async (_what, body) => {
    const send = async (path: string, more: Record<string, string> = {}): Promise<number> => {
      const headers = { 'content-type': 'application/json', ...more }
      return (await fetch(`${server.url}${path}`, { method: 'POST', headers, body })).status
    }
    const paths = [
      '/api/v1/session',
      '/api/v1/session/redeem',
      '/api/v1/worker/enrol',
      '/api/v1/worker/call',
      '/api/v1/login/device',
    ]
    const statuses = [
      ...(await Promise.all(paths.map((path) => send(path)))),
      ...(await Promise.all(HEADERS.map((more) => send('/api/v1/forge-hooks/none', more)))),
    ]
    for (const status of statuses) {
      expect(status).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
    }
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  })
})

describe('CVE-2025-55190 of Argo CD: who may read a project reads its credentials', () => {
  const CANARY = 'canary-of-a-credential-4711'
  it('no answer to anybody holds one', async () => {
    const variable = {
      name: 'KEY',
      value: CANARY,
      environment: null,
      stack: null,
      phase: 'both',
      secret: true,
    } as const
    await setVariable(server.engine.parts, { repositoryId, ...variable, actorId: admin.id })
    const paths = ['', '/variables', '/members', '/merge-requests', '/environments', '/stacks'].map(
      (path) => `/api/v1/repositories/shop${path}`,
    )
    const all = [
      ...paths,
      '/api/v1/repositories',
      '/api/v1/server',
      '/api/v1/users',
      '/api/v1/workers',
      '/api/v1/issuer',
    ]
    const secret = [...all, '/api/v1/audit', '/api/v1/login-providers']
    let answered = 0
    for (const [person, asked] of [
      [reader, all],
      [maintainer, all],
      [admin, secret],
    ] as const) {
      for (const path of asked) {
        const { status, body } = await person.request('GET', path)
        answered += status === 200 ? 1 : 0
        expect(JSON.stringify(body), path).not.toContain(CANARY)
        expect(JSON.stringify(body), path).not.toMatch(/Sealed|passwordHash|"v1\.[0-9a-f]{8}\./)
      }
    }
    expect(answered).toBeGreaterThan(20)
  })
})

describe('CVE-2025-47933 and GHSA-h98r-wv3h-fr38 of Argo CD: an address that is a script', () => {
  it.each(['javascript:alert(1)', 'data:text/html,x', ' javascript:alert(1)', 'vbscript:x'])(
    '%s is none',
    async (address) => {
      const provider = { issuer: address, clientId: 'x', rules: [{ group: '*' }] }
      expect((await admin.request('PUT', '/api/v1/login-providers/evil', provider)).status).toBe(400)
      const connection = { forge: 'gitea', url: address, token: 'a-token-of-a-forge', name: 'evil' }
      const connected = await admin.request('POST', '/api/v1/connections', connection)
      expect(connected.status).toBeGreaterThanOrEqual(400)
      expect(connected.status).toBeLessThan(500)
    },
  )
})

describe('CVE-2025-58445 of Atlantis: a page of state tells strangers what it is built of', () => {
  it.each(['/healthz', '/readyz'])('%s tells no version', async (path) => {
    expect(await (await fetch(`${server.url}${path}`)).text()).not.toMatch(/\d+\.\d+/)
  })
})
