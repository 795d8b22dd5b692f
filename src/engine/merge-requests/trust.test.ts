import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Grant } from '../../domain/wire/worker-protocol.ts'
import { setMember } from '../../store/people/members.ts'
import { patchWorker } from '../../store/workers/workers.ts'
import { setVariable } from '../stacks/change-variable.ts'
import { approve, configOf, merge, propose, runsOf, unmet } from '../testing/flows.ts'
import { type EngineHarness, startHarness } from '../testing/harness.ts'
import { type PuppetScript, workAll } from '../testing/puppet.ts'
import { createWorld, type World } from '../testing/world.ts'

type Trust = 'contributors' | 'maintainers' | 'approved'
const NETWORK = ['registry.opentofu.org:443']

let harness: EngineHarness
let world: World
let script: PuppetScript
/** Grants of the previews of `app`. */
let given: Grant[]
beforeEach(async () => {
  harness = await startHarness()
  world = createWorld(harness)
  given = []
  script = {
    ...world.script,
    async plan(grant) {
      if (grant.kind === 'preview') given.push(grant)
      return await world.script.plan(grant)
    },
  }
  await withCapabilities(['sandbox'])
  const variable = {
    name: 'KEY',
    value: 'canary',
    environment: null,
    stack: null,
    phase: 'plan',
    secret: true,
  } as const
  await setVariable(harness.engine.parts, {
    repositoryId: harness.repositoryId,
    ...variable,
    actorId: harness.users.author.id,
  })
})
afterEach(() => harness.stop())

const withCapabilities = (capabilities: string[]) =>
  harness.store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { capabilities } }))
const authorIs = (role: 'contributor' | 'maintainer') =>
  harness.store.transaction((tx) =>
    setMember(tx, { repositoryId: harness.repositoryId, userId: harness.users.author.id, role }),
  )

async function deployed(trust: Trust | undefined, required = 1): Promise<void> {
  const environments = { production: { tier: 'production', approvals: { required }, ...(trust && { trust }) } }
  const stack = { network: NETWORK, variables: { PLAIN: 'said' } }
  await harness.push('main', { 'trueup.yaml': configOf({ app: stack }, { environments }), 'app/value': '1' })
  await world.adopt()
  given = []
}

const WITH_ALL = {
  variables: { PLAIN: { value: 'said', secret: false }, KEY: { value: 'canary', secret: true } },
  stateBackend: { username: expect.any(String) },
}

it.each<[Trust | undefined, 'contributor' | 'maintainer']>([
  [undefined, 'contributor'],
  ['contributors', 'contributor'],
  ['maintainers', 'maintainer'],
])('trust: %s gives a change of a %s all that plans get', async (trust, role) => {
  await deployed(trust)
  await authorIs(role)
  await propose(harness, 'change', { 'app/value': '2' })
  await workAll(harness, script)
  expect(given).toMatchObject([{ ...WITH_ALL, sandbox: { untrusted: false, network: NETWORK } }])
})

it.each<[Trust, 'contributor' | 'maintainer']>([
  ['maintainers', 'contributor'],
  ['approved', 'maintainer'],
])('trust: %s gives a change of a %s nothing until somebody else has approved its head', async (trust, role) => {
  await deployed(trust)
  await authorIs(role)
  const more = { network: [...NETWORK, 'evil.example.org:443'], variables: { PLAIN: 'other' } }
  const environments = { production: { tier: 'production', approvals: { required: 1 }, trust: 'contributors' } }
  const files = { 'trueup.yaml': configOf({ app: more }, { environments }), 'app/value': '2' }
  const mr = await propose(harness, 'change', files)
  await workAll(harness, script)
  expect(given).toMatchObject([{ sandbox: { untrusted: true, network: NETWORK }, formerSecrets: [] }])
  expect(given[0]!.variables).toEqual({ PLAIN: { value: 'other', secret: false } })
  expect(given[0]!.stateBackend).toBeUndefined()
  expect(JSON.stringify(given)).not.toContain('canary')
  expect((await runsOf(harness, { kind: 'preview' }))[0]?.plan?.findings).toMatchObject([{ code: 'untrusted_preview' }])
  expect(await unmet(harness, mr.id)).toContain('plans')

  await approve(harness, mr.id)
  await workAll(harness, script)
  expect(given[1]).toMatchObject({
    sandbox: { untrusted: false },
    stateBackend: {},
    variables: { KEY: { value: 'canary' } },
  })
  expect(await unmet(harness, mr.id)).not.toContain('plans')
  await harness.push('change', { 'app/value': '3' })
  await workAll(harness, script)
  expect(given[2]).toMatchObject({ sandbox: { untrusted: true } })
})

it('cannot be merged unseen where nothing has to be approved', async () => {
  await deployed('maintainers', 0)
  await authorIs('contributor')
  const mr = await propose(harness, 'change', { 'app/value': '2' })
  await workAll(harness, script)
  await expect(merge(harness, mr.id)).rejects.toMatchObject({ code: 'MR_BLOCKED' })
  await approve(harness, mr.id)
  await workAll(harness, script)
  await merge(harness, mr.id)
  await workAll(harness, script)
  expect(world.things.get('production/app')).toContain('2|')
})

it('one commit of somebody who is not trusted is enough, and so is a place that the target does not know', async () => {
  await deployed('maintainers')
  await propose(harness, 'change', { 'app/value': '2' })
  await workAll(harness, script)
  await harness.store.transaction((tx) =>
    setMember(tx, { repositoryId: harness.repositoryId, userId: harness.users.second.id, role: 'contributor' }),
  )
  await harness.push('change', { 'app/value': '3' }, { by: 'second' })
  await workAll(harness, script)
  expect(given.map(({ sandbox }) => sandbox?.untrusted)).toEqual([false, true])
  given = []
  await authorIs('contributor')
  const environments = {
    production: { tier: 'production', trust: 'maintainers', approvals: { required: 1 } },
    fresh: { trust: 'contributors' },
  }
  const stacks = { app: { environments: ['production'] }, web: { environments: ['fresh'] } }
  await propose(harness, 'fresh', { 'trueup.yaml': configOf(stacks, { environments }), 'web/value': '1' })
  await workAll(harness, script)
  expect(given.find(({ stack }) => stack.environment === 'fresh')).toMatchObject({ sandbox: { untrusted: true } })
})

it('is not given to a worker that would run its tools beside itself', async () => {
  await deployed('approved')
  await withCapabilities([])
  await propose(harness, 'change', { 'app/value': '2' })
  await workAll(harness, script)
  expect(given).toEqual([])
  expect((await runsOf(harness, { kind: 'preview' }))[0]).toMatchObject({
    state: 'failed',
    error: { code: 'SANDBOX_UNAVAILABLE' },
  })
})
