import { describe, expect, it } from 'vitest'
import { listDeployments } from '../../store/stacks/deployments.ts'
import { listQuarantine } from '../../store/stacks/quarantine.ts'
import { configOf, land, mrOf, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { rollBack, type RollbackTarget } from './rollback.ts'

const BROKEN = { 'trueup.yaml': 'version: 1\nstacks: [' }
const CONFIG = configOf({ a: {}, b: { inputs: { from: 'a.value' } } })

describe('a rollback across a trueup.yaml that could not be read', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': CONFIG, 'a/value': '1', 'b/value': '1' } })
  const back = async (target: RollbackTarget) => {
    const { parts } = harness.engine
    const mr = await rollBack(parts, { target, reason: 'it smells', actorId: harness.users.author.id })
    await world.work()
    return await mrOf(harness, mr.id)
  }

  it('takes back what the repair deployed, and neither the repair nor what only its inputs changed', async () => {
    await harness.push('main', BROKEN)
    await land(harness, world, 'repair', { 'trueup.yaml': CONFIG, 'a/value': '2' })
    await world.work()
    expect(world.things.get('production/b')).toBe('1|from=2')
    const { repositoryId } = harness
    const [deployment] = (
      await listDeployments(harness.store.db, { stackId: (await stackOf(harness, 'production/a')).id })
    ).items
    const mr = await back({ what: 'deployment', repositoryId, deploymentId: deployment!.id })
    expect(mr.problems).toBeNull()
    expect((await harness.git.readFile(mr.headOid, 'a/value'))?.toString()).toBe('1')
    expect((await harness.git.readFile(mr.headOid, 'trueup.yaml'))?.toString()).toBe(CONFIG)
    const quarantined = await listQuarantine(harness.store.db, { repositoryId })
    expect(quarantined.map(({ stackId }) => stackId)).toEqual([(await stackOf(harness, 'production/a')).id])
  })

  it('waits for the repair, and says so', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    await world.work()
    await harness.push('main', BROKEN)
    const { id: stackId } = await stackOf(harness, 'production/a')
    await expect(back({ what: 'stack', stackId })).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: expect.stringContaining('"main" cannot be read itself: reading trueup.yaml') },
    })
    expect(await listQuarantine(harness.store.db, { repositoryId: harness.repositoryId })).toEqual([])
  })

  it('to a commit that cannot be read says so', async () => {
    const toCommit = await harness.push('main', BROKEN)
    await land(harness, world, 'repair', { 'trueup.yaml': CONFIG, 'a/value': '2' })
    await world.work()
    const { id: stackId } = await stackOf(harness, 'production/a')
    await expect(back({ what: 'stack', stackId, toCommit })).rejects.toMatchObject({
      code: 'CONFLICT',
      text: { why: expect.stringContaining('reading trueup.yaml') },
    })
  })
})
