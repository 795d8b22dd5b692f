import { describe, expect, it } from 'vitest'
import { TrueupError } from '../../lib/errors/error.ts'
import { approve, approveWaiting, configOf, judged, merge, mrOf, propose, runsOf } from '../testing/flows.ts'
import { leaseOne, planOne, workAll } from '../testing/puppet.ts'
import { keyOf } from '../testing/world.ts'
import { useWorld } from '../testing/use-world.ts'
import { previewsOf } from './previews.ts'

const NS = 'production/ns'
const APP = 'production/app'
const config = configOf({ ns: {}, app: { needs: ['ns'] }, other: {} })

describe('the plan of a stack that needs one which the merge request brings', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': configOf({ other: {} }), 'other/value': '1' } })

  const both = { 'trueup.yaml': config, 'ns/value': '1', 'app/value': '1' }
  /** As a tool that finds nothing to plan against while the namespace is missing. */
  const work = () =>
    workAll(harness, {
      ...world.script,
      async plan(grant) {
        if (keyOf(grant) === APP && !world.things.has(NS))
          throw new TrueupError('TARGET_UNREACHABLE', { doing: 'planning', why: 'there is no namespace' })
        return await world.script.plan(grant)
      },
    })
  const warnings = async (id: string) =>
    (await judged(harness, id)).outcome.requirements.filter(({ satisfied }) => !satisfied).map(({ message }) => message)

  it('is provisional, and names once what it waits for', async () => {
    const mr = await propose(harness, 'two', both)
    await world.work()
    const previews = previewsOf(await mrOf(harness, mr.id))
    expect(previews[NS]).toMatchObject({ provisional: false })
    expect(previews[APP]).toMatchObject({ provisional: true, awaits: [NS] })
    expect(await warnings(mr.id)).toContain('app is not wholly checked until production/ns is deployed')
  })

  it('is provisional through a stack in between, and not when what it needs stays', async () => {
    const chain = configOf({ ns: {}, mid: { needs: ['ns'] }, app: { needs: ['mid'] }, other: {} })
    const mr = await propose(harness, 'two', { ...both, 'trueup.yaml': chain, 'mid/value': '1' })
    await world.work()
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    const later = await propose(harness, 'three', { 'ns/value': '2', 'app/value': '2' })
    await world.work()
    expect(previewsOf(await mrOf(harness, later.id))[APP]).toMatchObject({ provisional: true, awaits: [NS] })
    const alone = await propose(harness, 'four', { 'app/value': '3' })
    await world.work()
    const preview = previewsOf(await mrOf(harness, alone.id))[APP]
    expect(preview).toMatchObject({ provisional: false })
    expect(preview).not.toHaveProperty('awaits')
  })

  it('may fail: the approval counts for the others, and the deployment waits with the true reason', async () => {
    const mr = await propose(harness, 'two', both)
    await failing()
    expect(await warnings(mr.id)).toContainEqual(expect.stringMatching(/^no plan of app .*depends on stacks/))
    await approve(harness, mr.id)
    expect((await judged(harness, mr.id)).outcome).toMatchObject({
      mergeable: true,
      approvals: { production: { satisfied: true, refused: [] } },
    })
    await merge(harness, mr.id)
    await work()
    expect(world.things.get(NS)).toBe('1')
    const [run] = await runsOf(harness, { kind: 'deploy', stack: APP })
    expect(run).toMatchObject({
      state: 'awaiting_approval',
      reason: 'not_approved',
      message: `!${mr.number} could not show this plan (before production/ns was deployed): nobody has approved it yet`,
    })
    await approveWaiting(harness, run!)
    await work()
    expect(world.things.get(APP)).toBe('1')
  })

  it('takes the approval away with another source, although there was no plan', async () => {
    const mr = await propose(harness, 'two', both)
    await failing()
    await approve(harness, mr.id)
    await harness.push('two', { 'app/value': 'evil' })
    await failing()
    expect((await judged(harness, mr.id)).outcome.mergeable).toBe(false)
  })

  /** Works the previews off; that of the app fails. */
  async function failing(): Promise<void> {
    for (let grant = await leaseOne(harness); grant; grant = await leaseOne(harness)) {
      if (keyOf(grant) !== APP) {
        await planOne(harness, grant, world.script)
      } else {
        const held = { runId: grant.runId, fence: grant.fence }
        await harness.engine.worker.call(harness.workerId, 'state', { ...held, state: 'preparing' })
        await harness.engine.worker.call(harness.workerId, 'state', { ...held, state: 'planning' })
        const error = new TrueupError('TARGET_UNREACHABLE', { doing: 'planning', why: 'no namespace' }).toJSON()
        await harness.engine.worker.call(harness.workerId, 'finish', { ...held, status: 'failed', error, verify: [] })
      }
      await harness.settle()
    }
  }
})
