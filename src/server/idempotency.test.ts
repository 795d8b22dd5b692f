import { describe, expect, it } from 'vitest'
import { useServer } from './testing/use-server.ts'

const { server, admin } = useServer()

const key = (text: string) => ({ 'idempotency-key': `key-of-${text}` })

describe('Idempotency-Key', () => {
  it('gives a repeat the first answer, and no second effect', async () => {
    const body = { name: 'one', email: 'one@example.org' }
    const first = await admin.request('POST', '/api/v1/users', body, key('one'))
    const second = await admin.request('POST', '/api/v1/users', body, key('one'))
    expect(second.status).toBe(201)
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotency-replayed')).toBe('true')
    const users = await admin.request('GET', '/api/v1/users')
    expect(users.body.items.filter((user: { name: string }) => user.name === 'one')).toHaveLength(1)
  })

  it('refuses the key of another request', async () => {
    await admin.request('POST', '/api/v1/teams', { name: 'a' }, key('team'))
    const { status, body } = await admin.request('POST', '/api/v1/teams', { name: 'b' }, key('team'))
    expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
  })

  it('belongs to one person', async () => {
    const other = await server.person('second', { kind: 'admin' })
    await admin.request('POST', '/api/v1/teams', { name: 'c' }, key('shared'))
    const { status } = await other.request('POST', '/api/v1/teams', { name: 'd' }, key('shared'))
    expect(status).toBe(201)
  })

  it('lets one of many simultaneous repeats have an effect', async () => {
    const body = { name: 'busy', email: 'busy@example.org', password: 'long enough to hash' }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => admin.request('POST', '/api/v1/users', body, key('busy'))),
    )
    for (const { status } of answers) expect([201, 409]).toContain(status)
    const made = answers.filter(({ status, headers }) => status === 201 && !headers.has('idempotency-replayed'))
    expect(made).toHaveLength(1)
    expect(answers.some(({ status, body: { why } }) => status === 409 && /still being answered/.test(why))).toBe(true)
  })

  it('does not keep a secret: the repeat says that it was done', async () => {
    const body = { name: 'ci', scopes: ['read'] }
    const first = await admin.request('POST', '/api/v1/tokens', body, key('token'))
    const second = await admin.request('POST', '/api/v1/tokens', body, key('token'))
    expect([first.status, second.status]).toEqual([201, 409])
    const rows = await server.store.db.selectFrom('idempotencyKeys').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(first.body.token)
  })

  it('does not keep a refusal: the request may be mended', async () => {
    const body = { name: 'late' }
    const members = ['not-yet']
    expect((await admin.request('POST', '/api/v1/teams', { ...body, members }, key('late'))).status).toBe(404)
    await admin.request('POST', '/api/v1/users', { name: 'not-yet', email: 'n@example.org' })
    expect((await admin.request('POST', '/api/v1/teams', { ...body, members }, key('late'))).status).toBe(201)
  })

  it('must be a key', async () => {
    const { status } = await admin.request('POST', '/api/v1/teams', { name: 'x' }, { 'idempotency-key': 'short' })
    expect(status).toBe(400)
  })
})
