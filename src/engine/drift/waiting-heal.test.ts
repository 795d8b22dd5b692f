import { describe, expect, it } from 'vitest'
import { listDriftRecords } from '../../store/stacks/drift.ts'
import { freezeEnvironment, unfreezeEnvironment } from '../environments.ts'
import { bootstrap, configOf, runsOf, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { acceptDrift, checkNow } from './actions.ts'
import { scheduleDrift } from './schedule.ts'

const KEY = 'production/a'
const environments = { production: { approvals: { required: 1 }, drift: { mode: 'enforce' } } }
const policies = [{ name: 'ask', when: "run.kind == 'heal'", then: 'require-approval', message: 'Ask first.' }]

describe('a heal that waits for a person or a freeze', () => {
  const { harness, world } = useWorld()

  const begin = (more: { policies?: object[] }) =>
    bootstrap(harness, world, { 'trueup.yaml': configOf({ a: {} }, { environments, ...more }), 'a/value': '1' })
  const check = async () => {
    const stackId = (await stackOf(harness, KEY)).id
    await checkNow(harness.engine.parts, { stackId, actorId: harness.users.second.id })
    await world.work()
  }
  const freeze = () =>
    freezeEnvironment(harness.engine.parts, {
      repositoryId: harness.repositoryId,
      environment: 'production',
      reason: 'black friday',
      until: null,
      actorId: harness.users.second.id,
    })

  it('is taken back when the drift is gone', async () => {
    await begin({ policies })
    world.things.set(KEY, 'x')
    await check()
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'awaiting_approval' }])
    world.things.set(KEY, '1')
    await check()
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'superseded', reason: 'drift_gone' }])
    expect(await stackOf(harness, KEY)).toMatchObject({ status: 'in_sync' })
  })

  it('does not keep anybody from looking at what is there meanwhile', async () => {
    await begin({})
    await freeze()
    world.things.set(KEY, 'x')
    await check()
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'queued', reason: 'frozen' }])
    world.things.set(KEY, 'y')
    await check()
    const { id: stackId } = await stackOf(harness, KEY)
    expect((await listDriftRecords(harness.store.db, { stackId })).items).toMatchObject([{ actual: 'y' }])
    expect(await runsOf(harness, { kind: 'heal' })).toHaveLength(1)
  })

  it('does not overwrite what is accepted meanwhile, and is ordered anew where other drift is left', async () => {
    await begin({})
    const { id } = await freeze()
    const { plan } = world.script
    world.script.plan = async (grant) => {
      const made = await plan(grant)
      const other = { path: 'other', before: 'o', after: 'O' }
      return {
        ...made,
        changes: made.changes?.map((change) => ({ ...change, attributes: [...change.attributes, other] })) ?? [],
      }
    }
    world.things.set(KEY, 'x')
    await check()
    const { id: stackId } = await stackOf(harness, KEY)
    const { items } = await listDriftRecords(harness.store.db, { stackId })
    const wish = { reason: 'ok', until: null, actorId: harness.users.second.id }
    const { parts } = harness.engine
    await acceptDrift(parts, { ...wish, recordId: items.find(({ attribute }) => attribute === 'value')!.id })
    expect(await runsOf(harness, { kind: 'heal' })).toMatchObject([{ state: 'superseded', reason: 'drift_accepted' }])
    await scheduleDrift(parts)
    await world.work()
    const [heal] = await runsOf(harness, { kind: 'heal', state: 'queued' })
    expect(heal!.spec).toMatchObject({ definition: { ignore: [{ address: 'thing', attribute: 'value' }] } })
    await unfreezeEnvironment(parts, { freezeId: id, actorId: wish.actorId })
  })
})
