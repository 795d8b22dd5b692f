import { beforeAll, expect, it } from 'vitest'
import { type Role, ROLES } from '../domain/roles.ts'
import { createRun } from '../store/runs/runs.ts'
import { upsertStack } from '../store/stacks/stacks.ts'
import { TOKEN_POWERS } from './auth/permissions.ts'
import { allRoutes } from './testing/all-routes.ts'
import type { Person } from './testing/app.ts'
import { RIGHTS } from './testing/rights.ts'
import { useServer } from './testing/use-server.ts'

/** Whoever gets this far was let in; nothing is done. */
const PASSED = 299
const { server, admin } = useServer({
  app: { trustProxy: ['127.0.0.1'] },
  hooks: (app) => void app.addHook('preParsing', async (_request, reply) => await reply.code(PASSED).send()),
})
/** Nobody knows how the hook above would answer in streams of packs: there only refusals are looked at. */
const PACKS = /^(?:GET|POST) \/git\//

const people = new Map<string, Person>()
let run: string
beforeAll(async () => {
  const { store } = server
  for (const role of [...ROLES, 'stranger']) people.set(role, await server.person(role))
  for (const power of TOKEN_POWERS)
    people.set(`root ${power}`, await server.person(`root-${power}`, { kind: 'admin', scopes: [power] }))
  people.set('narrow', await server.person('narrow', { kind: 'admin', scopes: ['admin', 'repo:bank'] }))
  const members = Object.fromEntries(ROLES.map((role) => [people.get(role)!.id, role]))
  const { id: repositoryId } = await server.repository('shop', members)
  await server.repository('bank')
  const place = { environment: 'production', name: 'web', path: 'web', driver: 'files', config: { driver: 'files' } }
  run = await store.transaction(async (tx) => {
    const stack = await upsertStack(tx, { repositoryId, ...place })
    const spec = { definition: { key: 'production/web', ...place } }
    const digests = { commitOid: 'a'.repeat(40), desiredDigest: 'd' }
    const made = { stackId: stack.id, repositoryId, kind: 'deploy' as const, ...digests, spec, pool: 'default' }
    return (await createRun(tx, { ...made, actor: 'system' })).id
  })
})

let addresses = 0
/** `passed`, or the code of the refusal. */
async function call(route: string, token: string | null): Promise<string> {
  const [method = 'GET', path = ''] = route.split(' ')
  const url = path.replace(':repository', 'shop').replace(':run', run).replaceAll(/:\w+/g, 'x').replace('*', 'x')
  // How often one may ask from one address is not what is looked at.
  const from = { 'x-forwarded-for': `10.0.${addresses >> 8}.${addresses++ & 255}` }
  const headers = { ...from, ...(token !== null && { authorization: `Bearer ${token}` }) }
  const { statusCode, body } = await server.app.inject({ method: method as 'GET', url, headers })
  if (statusCode === PASSED || (PACKS.test(route) && ![401, 403, 404].includes(statusCode))) return 'passed'
  return PACKS.test(route) ? String(statusCode) : (JSON.parse(body) as { code: string }).code
}

const entries = Object.entries(RIGHTS).map(([route, rights]) => {
  const [who = '', power = ''] = rights.split(' ')
  return { route, who, power }
})
const isRole = (who: string): who is Role => (ROLES as readonly string[]).includes(who)
const refusals = (route: string): { refused: string; hidden: string } =>
  PACKS.test(route) ? { refused: '403', hidden: '404' } : { refused: 'FORBIDDEN', hidden: 'NOT_FOUND' }

it('names every route', async () => {
  expect([...(await allRoutes()).keys()].toSorted()).toEqual(Object.keys(RIGHTS).toSorted())
})

it('lets each role do what it is there for, and no more', async () => {
  const found: string[] = []
  const expected: string[] = []
  for (const { route, who, power } of entries.filter((entry) => entry.power !== '')) {
    const { refused, hidden } = refusals(route)
    for (const role of [...ROLES, 'stranger'] as const) {
      const strong = isRole(who) ? role !== 'stranger' && ROLES.indexOf(role) >= ROLES.indexOf(who) : who === 'user'
      const wanted = strong ? 'passed' : isRole(who) && role === 'stranger' ? hidden : refused
      expected.push(`${route} (${who} ${power}) by ${role}: ${wanted}`)
      found.push(`${route} (${who} ${power}) by ${role}: ${await call(route, people.get(role)!.token)}`)
    }
  }
  expect(found).toEqual(expected)
})

it('lets tokens do what they are good for, whoever has them', async () => {
  const found: string[] = []
  const expected: string[] = []
  for (const { route, power } of entries.filter((entry) => entry.power !== '')) {
    const { refused } = refusals(route)
    for (const held of TOKEN_POWERS) {
      const isEnough = TOKEN_POWERS.indexOf(held) >= TOKEN_POWERS.indexOf(power as typeof held)
      expected.push(`${route} (${power}) with ${held}: ${isEnough ? 'passed' : refused}`)
      found.push(`${route} (${power}) with ${held}: ${await call(route, people.get(`root ${held}`)!.token)}`)
    }
    if (/:repository|:run/.test(route)) {
      expected.push(`${route} with a token of another repository: ${refused}`)
      found.push(`${route} with a token of another repository: ${await call(route, people.get('narrow')!.token)}`)
    }
  }
  expect(found).toEqual(expected)
})

it('asks everybody who they are, but where anybody may', async () => {
  const found: string[] = []
  const expected: string[] = []
  for (const { route, who } of entries) {
    const isOpen = who === 'public'
    const anonymous = await call(route, null)
    expected.push(`${route} (${who}): ${isOpen ? 'passed' : 'refused'}`)
    found.push(`${route} (${who}): ${anonymous === 'passed' ? 'passed' : 'refused'}`)
    // A person's token is no worker's proof.
    if (who === 'worker') expect(await call(route, admin.token), route).not.toBe('passed')
  }
  expect(found).toEqual(expected)
})
