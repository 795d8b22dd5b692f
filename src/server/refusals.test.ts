import { beforeAll, expect, it } from 'vitest'
import { ask } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

const { server, admin } = useServer({ app: { trustProxy: ['127.0.0.1'] } })
beforeAll(async () => await server.repository('shop'))

const from = (address: string) => ({ 'x-forwarded-for': address })
const get = (token: string | null, path = '/api/v1/session', address = '192.0.2.1') =>
  ask(server.url, token, 'GET', path, undefined, from(address))

interface Refused {
  actor: string
  data: { kind: string; address: string; why: string; count: number; action?: string }
}
async function refused(): Promise<Refused[]> {
  await server.refusals.flush()
  return (await admin.request('GET', '/api/v1/audit?action=access.refused&limit=100')).body.items
}

it('rolls refused tokens, rights and logins up, with whose they were and never what was typed', async () => {
  const ada = await server.person('ada')
  const id = (await ada.request('GET', '/api/v1/session')).body.token.id
  await ada.request('POST', '/api/v1/repositories', { name: 'mine', defaultBranch: 'main' })
  await admin.request('DELETE', `/api/v1/tokens/${id}`)
  for (let at = 0; at < 5; at++) await get(ada.token)
  for (let at = 0; at < 3; at++) await get(`tut_${'x'.repeat(43)}`)
  await get(null)
  const login = { name: 'hunter2', password: 'a password in the wrong field' }
  await ask(server.url, null, 'POST', '/api/v1/session', login, from('192.0.2.7'))
  const events = await refused()
  expect(events).toHaveLength(4)
  expect(events.map(({ actor, data }) => [actor === `user:${ada.id}`, data.kind, data.count])).toEqual(
    expect.arrayContaining([
      [true, 'token', 5],
      [false, 'token', 3],
      [true, 'right', 1],
      [false, 'login', 1],
    ]),
  )
  expect(events.find(({ data }) => data.kind === 'right')?.data.action).toBe('repository.create')
  expect(events.find(({ data }) => data.kind === 'login')?.data.address).toBe('192.0.2.7')
  expect(JSON.stringify(events)).not.toMatch(/hunter2|xxxxx|wrong field/)
  expect((await admin.request('POST', '/api/v1/audit/verify', {})).body).toMatchObject({ ok: true })
})

it('writes so many events a minute and no more, whoever knocks', async () => {
  const before = (await refused()).length
  for (let at = 0; at < 60; at++) await get(`tut_${'y'.repeat(43)}`, undefined, `198.51.100.${at}`)
  const events = (await refused()).slice(0, -before)
  expect(events).toHaveLength(21)
  expect(events.find(({ data }) => data.kind === 'others')?.data.count).toBe(40)
})
