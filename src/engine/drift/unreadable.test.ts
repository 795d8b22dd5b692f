import { expect, it } from 'vitest'
import { listMergeRequests } from '../../store/changes/merge-requests.ts'
import { bootstrap, configOf, stackOf } from '../testing/flows.ts'
import { workAll } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { checkNow } from './actions.ts'

const { harness, world } = useWorld()

it('drift is treated as before while trueup.yaml of the default branch cannot be read', async () => {
  const drift = (mode: string) => ({ drift: { mode }, onRemove: 'destroy' })
  const files = { driver: 'files', with: { target: '/srv/b' } }
  const config = configOf({ a: drift('enforce'), b: { ...drift('propose'), ...files } }, { environments: { lab: {} } })
  await bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', 'b/value': '1' })
  const check = async (key: string) =>
    checkNow(harness.engine.parts, { stackId: (await stackOf(harness, key)).id, actorId: harness.users.second.id })
  const codify = async () =>
    (await listMergeRequests(harness.store.db, { repositoryId: harness.repositoryId }, { limit: 9 })).items
  const patches = () => [{ path: 'b/value', content: Buffer.from('tampered').toString('base64') }]
  const work = () => workAll(harness, { ...world.script, patches })

  world.things.set('lab/b', 'tampered')
  await check('lab/b')
  await work()
  expect(await codify()).toMatchObject([{ origin: 'codify', state: 'open' }])
  await harness.push('main', { 'trueup.yaml': 'version: 1\nstacks: [' })
  world.things.set('lab/a', 'tampered')
  await check('lab/a')
  await check('lab/b')
  await work()
  expect(world.applied).toEqual(['lab/a=1'])
  expect(await codify()).toMatchObject([{ origin: 'codify', state: 'open' }])
  expect(await stackOf(harness, 'lab/a')).toMatchObject({ status: 'in_sync', removedAt: null })
  expect(await stackOf(harness, 'lab/b')).toMatchObject({ status: 'drifted', removedAt: null })
})
