import { describe, expect, it } from 'vitest'
import { checkNow } from '../drift/actions.ts'
import { configOf, land, runsOf, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { resourcesOf } from './resources.ts'

const KEY = 'production/a'

describe('the resources of a stack', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ a: {} }), 'a/value': '1' } })
  const list = async () => {
    const found = await resourcesOf(harness.store.db, await stackOf(harness, KEY))
    return found.map(({ address, health, why }) => [address, health, why])
  }
  const deploy = async (branch: string, value: string) => {
    await land(harness, world, branch, { 'a/value': value })
    await world.work()
  }

  it('are those that something has happened to, with the run that did the last thing', async () => {
    expect(await list()).toEqual([])
    await deploy('two', '2')
    expect(await list()).toEqual([['thing', 'ok', null]])
    const [run] = await runsOf(harness, { kind: 'deploy' })
    expect(await resourcesOf(harness.store.db, await stackOf(harness, KEY))).toMatchObject([{ runId: run!.id }])
  })

  it('are drifted while that stands, and so named even where Trueup never changed them', async () => {
    world.things.set(KEY, 'tampered with')
    await checkNow(harness.engine.parts, {
      stackId: (await stackOf(harness, KEY)).id,
      actorId: harness.users.second.id,
    })
    await world.work()
    expect(await list()).toEqual([['thing', 'drifted', 'value differs']])
  })

  it('have failed where the last deployment failed at them, until one goes through', async () => {
    world.failing.add(KEY)
    await deploy('two', '2')
    expect(await list()).toEqual([['thing', 'failed', 'no such luck']])
    world.failing.delete(KEY)
    await deploy('three', '3')
    expect((await list()).map(([, health]) => health)).not.toContain('failed')
  })
})
