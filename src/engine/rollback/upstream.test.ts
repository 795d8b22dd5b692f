import { describe, expect, it } from 'vitest'
import { getRun } from '../../store/runs/runs.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import { approve, bootstrap, configOf, land, mrOf, runsOf, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { rollBack } from './rollback.ts'

describe('a rollback of what others wait for', () => {
  const { harness, world } = useWorld()

  /** a fails with what b and c were approved with, they are blocked, and a alone is rolled back. */
  const begin = async (b: object) => {
    const config = configOf({ a: {}, b, c: { needs: ['b'] } })
    await bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', 'b/value': '1', 'c/value': '1' })
    world.failing.add('production/a')
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2', 'c/value': '2' })
    await world.work()
    expect(await runsOf(harness, { state: 'blocked' })).toHaveLength(2)
    world.failing.clear()
    const { id: stackId } = await stackOf(harness, 'production/a')
    const { parts } = harness.engine
    const target = { what: 'stack' as const, stackId }
    const mr = await rollBack(parts, { target, reason: 'it smells', actorId: harness.users.author.id })
    await world.work()
    await approve(harness, mr.id)
    await world.work()
    expect(await mrOf(harness, mr.id)).toMatchObject({ state: 'merged' })
    expect(world.things.get('production/a')).toBe('1')
    return await mrOf(harness, mr.id)
  }

  it('lets them go on with what Git still says of them, where their fresh plans are the approved ones', async () => {
    await begin({ needs: ['a'] })
    expect(world.applied).toEqual(['production/b=2', 'production/c=2'])
  })

  it('shows the plan of what takes an input from it, and replaces what was approved with the other one', async () => {
    const mr = await begin({ inputs: { in: 'a.value' } })
    expect(world.applied).toEqual(['production/b=2|in=1', 'production/c=2'])
    const shown = previewsOf(mr)['production/b']
    expect(shown).toMatchObject({ how: 'dependant' })
    const [enacted, overtaken] = await runsOf(harness, { stack: 'production/b', kind: 'deploy' })
    expect(enacted).toMatchObject({ mrId: mr.id, state: 'succeeded', approvedPlan: { digest: enacted!.planDigest } })
    expect(enacted!.planDigest).toBe((await getRun(harness.store.db, shown!.runId!))?.planDigest)
    expect(overtaken).toMatchObject({ state: 'superseded', reason: 'newer_merge' })
  })
})
