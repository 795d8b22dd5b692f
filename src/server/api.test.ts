import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { describe, expect, it } from 'vitest'
import { openStore } from '../store/open.ts'
import { restoreStore } from '../store/backup/restore.ts'
import { findUserByName } from '../store/people/users.ts'
import { ask, startTestServer, type Person } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const { server, admin } = useServer({ app: { bodyLimit: 4096 } })

describe('errors', () => {
  it('name every wrong field', async () => {
    const { status, body } = await admin.request('POST', '/api/v1/users', { name: '../etc', email: 'x', kinds: 1 })
    expect([status, body.code]).toEqual([400, 'INVALID_REQUEST'])
    const fields = new Set(body.details.fields.map(({ field }: { field: string }) => field))
    expect(fields).toEqual(new Set(['body.name', 'body.email', 'body']))
    expect(body).toMatchObject({ doing: 'POST /api/v1/users', why: expect.any(String), next: expect.any(String) })
  })

  it.each([
    ['broken JSON', '{"name": ', 400, 'INVALID_REQUEST'],
    ['too large', JSON.stringify({ name: 'x'.repeat(5000) }), 413, 'TOO_LARGE'],
  ])('of a body that is %s', async (_what, body, status, code) => {
    const answer = await admin.request('POST', '/api/v1/users', body)
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  it('of an address that is not there say so', async () => {
    const { status, body } = await admin.request('GET', '/api/v1/nothing?token=secret')
    expect([status, body.code]).toEqual([404, 'NOT_FOUND'])
    expect(JSON.stringify(body)).not.toContain('secret')
  })

  it('of an address that cannot be decoded have the same shape', async () => {
    const { status, body } = await admin.request('GET', '/api/v1/%zz')
    expect([status, body]).toEqual([
      400,
      expect.objectContaining({ code: 'INVALID_REQUEST', doing: 'GET /api/v1/%zz' }),
    ])
  })

  it('tell of a misspelt filter, which would else answer with everything', async () => {
    const { status, body } = await admin.request('GET', '/api/v1/audit?acter=system')
    expect([status, body]).toEqual([400, expect.objectContaining({ why: expect.stringContaining('acter') })])
  })

  it('carry security headers and the id of the request', async () => {
    const { headers } = await admin.request('GET', '/api/v1/nothing')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('of Trueup itself keep their cause in the log', async () => {
    const broken = await startTestServer()
    try {
      const person = await broken.person('root', { kind: 'admin' })
      await broken.store.db.schema.dropTable('teamMembers').execute()
      await broken.store.db.schema.dropTable('teams').execute()
      const { status, body } = await person.request('GET', '/api/v1/teams')
      expect([status, body.code]).toEqual([500, 'INTERNAL'])
      expect(JSON.stringify(body)).not.toMatch(/table|sqlite/i)
      expect(body.why).toContain(body.details.requestId)
    } finally {
      await broken.close()
    }
  })
})

describe('lists', () => {
  it('come in pages that neither repeat nor leave out', async () => {
    for (let i = 0; i < 7; i++) await admin.request('POST', '/api/v1/teams', { name: `team-${i}` })
    const names: string[] = []
    let cursor = ''
    do {
      const { body } = await admin.request(
        'GET',
        `/api/v1/teams?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      )
      names.push(...body.items.map((team: { name: string }) => team.name))
      cursor = body.next ?? ''
    } while (cursor)
    expect(names).toEqual(Array.from({ length: 7 }, (_, i) => `team-${i}`))
  })

  it('have a bounded size', async () => {
    expect((await admin.request('GET', '/api/v1/users?limit=100000')).status).toBe(400)
  })
})

describe('repositories', () => {
  it('are seen by those with a role only', async () => {
    const ada = await server.person('ada')
    const eve = await server.person('eve')
    await admin.request('POST', '/api/v1/repositories', { name: 'shop' })
    await admin.request('PUT', '/api/v1/repositories/shop/members/ada', { role: 'reader' })
    const names = async (person: Person) =>
      (await person.request('GET', '/api/v1/repositories')).body.items.map((row: { name: string }) => row.name)
    expect([await names(ada), await names(eve)]).toEqual([['shop'], []])
    const [missing, hidden] = await Promise.all([
      eve.request('GET', '/api/v1/repositories/none'),
      eve.request('GET', '/api/v1/repositories/shop'),
    ])
    expect([hidden.status, hidden.body.why]).toEqual([404, missing.body.why])
    const change = await ada.request('PUT', '/api/v1/repositories/shop/members/eve', { role: 'admin' })
    expect([change.status, change.body.code]).toEqual([403, 'FORBIDDEN'])
  })

  it('cannot have a name twice, nor one that Git or a path would trip over', async () => {
    expect((await admin.request('POST', '/api/v1/repositories', { name: 'shop' })).body.code).toBe('CONFLICT')
    for (const name of ['a.git', '..', 'a/b', '-x', 'a..b', 'ü'])
      expect((await admin.request('POST', '/api/v1/repositories', { name })).status, name).toBe(400)
  })
})

describe('the audit trail', () => {
  it('tells who changed what, verifies, exports, and tells of tampering', async () => {
    await admin.request('POST', '/api/v1/users', { name: 'zoe', email: 'z@example.org' })
    const { body } = await admin.request('GET', '/api/v1/audit?action=user.')
    expect(body.items[0]).toMatchObject({ actor: `user:${admin.id}`, action: 'user.create', data: { name: 'zoe' } })
    expect((await admin.request('POST', '/api/v1/audit/verify', {})).body.ok).toBe(true)
    const exported = await admin.request('GET', '/api/v1/audit/export')
    const lines = exported.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line))
    expect(lines.map(({ seq }: { seq: number }) => seq)).toEqual(lines.map((_: unknown, i: number) => i + 1))
    await server.store.db.updateTable('audit').set({ actor: 'user:nobody' }).where('seq', '=', 2).execute()
    const broken = await admin.request('POST', '/api/v1/audit/verify', {})
    expect(broken.body).toMatchObject({ ok: false, count: 1, firstBad: { seq: 2, kind: 'changed' } })
    expect(broken.body.firstBad.after).toBeGreaterThan(0)

    const reseal = (who: Person, body: object) => who.request('POST', '/api/v1/audit/reseal', body)
    const member = await server.person('max')
    expect((await reseal(member, { reason: 'why not' })).status).toBe(403)
    for (const reason of ['', '  ']) expect((await reseal(admin, { reason })).status).toBe(400)
    const sealed = await reseal(admin, { reason: 'edited by hand' })
    const named = { actorName: 'root', reason: 'edited by hand', total: 1, breaks: [{ seq: 2, kind: 'changed' }] }
    expect(sealed.body).toMatchObject({ ok: true, breaks: [], reseals: [named] })
    expect((await reseal(admin, { reason: 'again' })).body.code).toBe('CONFLICT')
    const { items } = (await admin.request('GET', '/api/v1/audit?action=audit.reseal')).body
    expect(items).toMatchObject([
      { actor: `user:${admin.id}`, data: { reason: 'edited by hand', breaks: [{ seq: 2 }] } },
    ])
  })
})

describe('for operators', () => {
  it('answers health, readiness and metrics without a token, by route and never by name', async () => {
    await admin.request('GET', '/api/v1/repositories/shop')
    expect((await ask(server.url, null, 'GET', '/healthz')).status).toBe(200)
    expect((await ask(server.url, null, 'GET', '/readyz')).status).toBe(200)
    const metrics = (await ask(server.url, null, 'GET', '/metrics')).body
    expect(metrics).toContain('route="/api/v1/repositories/:repository"')
    expect(metrics).not.toContain('shop')
  })

  it('makes a backup that can be restored', async () => {
    const response = await fetch(`${server.url}/api/v1/server/backup`, {
      method: 'POST',
      headers: { authorization: `Bearer ${admin.token}` },
    })
    expect(response.status).toBe(200)
    const root = await mkdtemp(join(tmpdir(), 'trueup-backup-'))
    try {
      const unpack = extract()
      Readable.fromWeb(response.body as never).pipe(unpack)
      for await (const entry of unpack) {
        const file = join(root, 'copy', entry.header.name)
        if (entry.header.type === 'directory') await mkdir(file, { recursive: true })
        else {
          await mkdir(dirname(file), { recursive: true })
          await writeFile(file, await buffer(entry), { mode: entry.header.mode })
        }
        entry.resume()
      }
      expect(JSON.parse(await readFile(join(root, 'copy', 'manifest.json'), 'utf8')).format).toBe(1)
      await restoreStore(join(root, 'copy'), join(root, 'data'))
      const restored = await openStore(join(root, 'data'))
      expect(await findUserByName(restored.db, 'root')).toMatchObject({ kind: 'admin' })
      await restored.close()
    } finally {
      await rm(root, { recursive: true })
    }
  })
})

describe('teams', () => {
  it('may be called as forges call theirs', async () => {
    expect((await admin.request('POST', '/api/v1/teams', { name: 'org/web' })).status).toBe(201)
    await admin.request('POST', '/api/v1/users', { name: 'ada', email: 'ada@example.test' })
    const path = `/api/v1/teams/${encodeURIComponent('org/web')}/members/ada`
    expect((await admin.request('PUT', path)).body).toMatchObject({ name: 'org/web', members: ['ada'] })
    for (const name of ['/web', 'org/', 'org//web', 'org/../web', 'org/.web'])
      expect([name, (await admin.request('POST', '/api/v1/teams', { name })).status]).toEqual([name, 400])
  })
})
