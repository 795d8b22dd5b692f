import { Secret, TOTP } from 'otpauth'
import { beforeAll, expect, it } from 'vitest'
import { configOf } from '../engine/testing/flows.ts'
import { syncRefs } from '../engine/changes/ref-sync.ts'
import { NO_OID } from '../git/repository.ts'
import { listReviews } from '../store/changes/reviews.ts'
import type { Person, TestAnswer } from './testing/app.ts'
import { useServer } from './testing/use-server.ts'

let now = Date.now()
const { server, admin } = useServer({ clock: { now: () => now } })
const SHOP = '/api/v1/repositories/shop'
const MR = `${SHOP}/merge-requests/1`
let ann: Person
let secret: string

beforeAll(async () => {
  ann = await server.person('ann')
  const { id } = await server.repository('shop', { [ann.id]: 'admin' })
  const git = server.engine.parts.git.repository(id)
  const author = { name: 'root', email: 'root@example.test', at: 0 }
  const environments = { production: { tier: 'production', approvals: { required: 1 }, stepUp: '15m' }, dev: {} }
  const config = configOf({ a: { environments: ['production'] }, b: { environments: ['dev'] } }, { environments })
  const file = (path: string, content: string) => ({ path, content: Buffer.from(content) })
  const files = [file('trueup.yaml', config), file('a/value', '1'), file('b/value', '1')]
  const main = await git.commitFiles({ parent: null, message: 'main\n', author, files })
  await git.updateRef('refs/heads/main', main, NO_OID)
  const two = await git.commitFiles({ parent: main, message: 'two\n', author, files: [file('a/value', '2')] })
  await git.updateRef('refs/heads/two', two, NO_OID)
  await syncRefs(server.engine.parts, id)
  await admin.request('POST', `${SHOP}/merge-requests`, { sourceBranch: 'two', title: 'Two' })
  await server.engine.idle()
  secret = (await ann.request('POST', '/api/v1/session/second-factor')).body.secret
  await ann.request('POST', '/api/v1/session/second-factor/confirm', { code: code() })
  now += 16 * 60_000
})

const code = (): string => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: now })
const codeOf = ({ body }: TestAnswer): string => body.code
async function approve(): Promise<TestAnswer> {
  const { head, digests, files } = (await ann.request('GET', MR)).body
  const seen = { head, digests, ...(files !== null && { files }) }
  return await ann.request('POST', `${MR}/reviews`, { verdict: 'approve', body: '', ...seen })
}

it('is asked of whoever approves, merges, deploys or goes back, also of administrators', async () => {
  expect((await approve()).body).toMatchObject({ code: 'STEP_UP_REQUIRED', details: { environment: 'production' } })
  const heal = (by: Person, stack: string) => by.request('POST', `${SHOP}/drift/heals`, { stack })
  const rollback = (target: object) => ann.request('POST', `${SHOP}/rollbacks`, { target, reason: 'x' })
  expect(codeOf(await heal(ann, 'production/a'))).toBe('STEP_UP_REQUIRED')
  expect(codeOf(await heal(admin, 'production/a'))).toBe('STEP_UP_REQUIRED')
  expect(codeOf(await heal(ann, 'dev/b'))).not.toBe('STEP_UP_REQUIRED')
  expect(codeOf(await ann.request('POST', `${MR}/merge`, {}))).toBe('STEP_UP_REQUIRED')
  expect(codeOf(await ann.request('POST', `${MR}/merge?bypass`, { bypassReason: 'now' }))).toBe('STEP_UP_REQUIRED')
  expect(codeOf(await rollback({ what: 'environment', environment: 'production' }))).toBe('STEP_UP_REQUIRED')
  expect(codeOf(await rollback({ what: 'deployment', deployment: 'dpl_x' }))).toBe('STEP_UP_REQUIRED')
  const asked = { stack: 'production/a', request: { targets: ['x'], replaces: [] }, reason: 'x' }
  expect(codeOf(await ann.request('POST', `${SHOP}/stack/requests`, asked))).toBe('STEP_UP_REQUIRED')
  // What changes nothing needs none.
  expect((await ann.request('POST', `${MR}/reviews`, { verdict: 'comment', body: 'hm' })).status).toBe(201)
})

it('lets them for as long as the environment says, by this login only', async () => {
  expect((await ann.request('POST', '/api/v1/session/second-factor/prove', { code: code() })).status).toBe(200)
  expect(await approve()).toMatchObject({ status: 201 })
  const mr = (await ann.request('GET', MR)).body
  const reviews = await listReviews(server.store.db, mr.id)
  expect(reviews.find(({ verdict }) => verdict === 'approve')).toMatchObject({ provenAt: now })
  const other = (await ann.request('POST', '/api/v1/tokens', { name: 'ci', scopes: ['write'] })).body.token
  const headers = { authorization: `Bearer ${other}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ stack: 'production/a' })
  const byToken = await fetch(`${server.url}${SHOP}/drift/heals`, { method: 'POST', headers, body })
  expect((await byToken.json()).code).toBe('STEP_UP_REQUIRED')
  now += 16 * 60_000
  expect(codeOf(await approve())).toBe('STEP_UP_REQUIRED')
})

it('is told before one tries, like every other right', async () => {
  const can = async (by: Person, query: string): Promise<TestAnswer['body']> =>
    (await by.request('GET', `/api/v1/session/can?${query}`)).body
  const production = 'repository=shop&environment=production'
  expect(await can(ann, `action=mr.approve&${production}`)).toMatchObject({
    allowed: false,
    code: 'STEP_UP_REQUIRED',
    needs: { who: 'contributor', scope: 'write' },
  })
  await ann.request('POST', '/api/v1/session/second-factor/prove', { code: code() })
  expect(await can(ann, `action=mr.approve&${production}`)).toMatchObject({ allowed: true, code: null, why: null })
  expect(await can(ann, 'action=drift.heal&repository=shop&environment=dev')).toMatchObject({ allowed: true })
  const bob = await server.person('bob')
  expect(await can(bob, 'action=repository.read&repository=shop')).toMatchObject({ allowed: false, code: 'NOT_FOUND' })
  expect(await can(bob, 'action=repository.read&repository=none')).toMatchObject({ allowed: false, code: 'NOT_FOUND' })
  expect(await can(bob, 'action=user.manage')).toMatchObject({ allowed: false, code: 'FORBIDDEN' })
  expect(await can(bob, 'action=server.read')).toMatchObject({ allowed: true })
  expect(await can(ann, 'action=mr.merge')).toMatchObject({ code: 'INVALID_REQUEST' })
  expect(await can(ann, 'action=mr.merg&repository=shop')).toMatchObject({
    code: 'INVALID_REQUEST',
    why: expect.stringContaining('did you mean "mr.merge"'),
  })
  expect(await can(ann, 'action=mr.merge&repository=shop&environment=none')).toMatchObject({ code: 'NOT_FOUND' })
})
