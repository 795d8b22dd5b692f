import { describe, expect, it } from 'vitest'
import { approve, approveWaiting, configOf, judged, merge, mrOf, propose, runsOf, stackOf } from '../testing/flows.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import { leaseOne, workAll } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { outputsOfStack } from '../stacks/outputs.ts'
import type { Grant } from '../../domain/wire/worker-protocol.ts'

const CONFIG = configOf({ net: {}, app: { inputs: { id: 'net.value' } } })

describe('inputs from the outputs of another stack', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': CONFIG, 'net/value': '1', 'app/value': 'a' } })

  it('are read when the run is granted', () => {
    expect(world.things.get('production/app')).toBe('a|id=1')
  })

  it('are predicted on the MR, approved with it, and applied without asking again', async () => {
    const mr = await propose(harness, 'two', { 'net/value': '2' })
    await world.work()
    const previews = previewsOf(await mrOf(harness, mr.id))
    expect(previews['production/net']).toMatchObject({ how: 'changed', provisional: false })
    expect(previews['production/app']).toMatchObject({ how: 'dependant', provisional: true })
    const { digests } = await judged(harness, mr.id)
    expect(Object.keys(digests).sort()).toEqual(['production/app', 'production/net'])
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual(['production/net=2', 'production/app=a|id=2'])
    const [run] = await runsOf(harness, { kind: 'deploy', stack: 'production/app' })
    expect(run).toMatchObject({ state: 'succeeded', planDigest: digests['production/app'] })
    expect(run!.plan!.changes[0]).toMatchObject({ cause: 'input' })
  })

  it('that are secret stand nowhere in clear, and a plan of them takes nothing away', async () => {
    const secret = 'hunter2-hunter2'
    const apply = async (grant: Grant) => {
      const done = await world.script.apply!(grant)
      return grant.stack.name === 'net' ? { ...done, outputs: { value: { value: secret, sensitive: true } } } : done
    }
    const hidden = (text: unknown) => ({ value: `hmac:${String(text).padEnd(32, '0')}`, sensitive: true })
    let told: unknown = 'f'
    const plan = async (grant: Grant) => {
      const made = await world.script.plan(grant)
      return grant.stack.name === 'net' ? { ...made, outputs: { value: hidden(told) } } : made
    }
    const first = await propose(harness, 'two', { 'net/value': '2' })
    await workAll(harness, { plan, apply })
    // The plan does not tell the new value, so the dependant is planned after the apply.
    expect(previewsOf(await mrOf(harness, first.id))['production/app']).toMatchObject({ runId: null, settled: true })
    await approve(harness, first.id)
    await merge(harness, first.id)
    await workAll(harness, { plan, apply })
    const [run] = await runsOf(harness, { kind: 'deploy', stack: 'production/net' })
    expect(run).toMatchObject({ state: 'succeeded' })
    expect(JSON.stringify(run)).not.toContain(secret)

    // Nothing to do any more: the hash of the plan must not become the value.
    told = 'e'
    const { id: stackId } = await stackOf(harness, 'production/net')
    const second = await propose(harness, 'three', { 'net/note': 'x' })
    await workAll(harness, { plan, apply })
    await approve(harness, second.id)
    await merge(harness, second.id)
    await workAll(harness, { plan, apply })
    const { store, parts } = { store: harness.store, parts: harness.engine.parts }
    expect(await outputsOfStack(store.db, parts.keys, stackId)).toEqual({ value: { value: secret, sensitive: true } })
  })

  it('of a stack whose plan failed say so, and are predicted once there is a plan', async () => {
    const more = configOf({ net: {}, app: { inputs: { id: 'net.value' } }, far: { inputs: { id: 'app.value' } } })
    const mr = await propose(harness, 'two', { 'trueup.yaml': more, 'net/value': '2', 'far/value': 'f' })
    const { runId, fence, stack } = (await leaseOne(harness))!
    expect(stack.name).toBe('net')
    const error = { code: 'TOOL_FAILED', doing: 'planning', why: 'it was told to', next: 'look' }
    await harness.engine.worker.call(harness.workerId, 'state', { runId, fence, state: 'preparing' })
    await harness.engine.worker.call(harness.workerId, 'finish', { runId, fence, status: 'failed', verify: [], error })
    await world.work()
    const noteOf = async (name: string) => previewsOf(await mrOf(harness, mr.id))[`production/${name}`]?.note
    expect(await noteOf('app')).toBe('the plan of production/net failed; planned once that succeeds')
    expect(await noteOf('far')).toBe('production/app is not planned either; planned once it is')
    await harness.push('two', { 'net/value': '3' })
    await world.work()
    expect(await noteOf('app')).toBe(null)
  })

  it('that are known only after the apply hold the dependant back until somebody has seen its plan', async () => {
    world.secretive.add('production/net')
    const mr = await propose(harness, 'two', { 'net/value': '2' })
    await world.work()
    const preview = previewsOf(await mrOf(harness, mr.id))['production/app']
    expect(preview).toMatchObject({ runId: null, settled: true, note: expect.stringContaining('known only after') })
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    await world.work()
    expect(world.applied).toEqual(['production/net=2'])
    expect(await stackOf(harness, 'production/app')).toMatchObject({ status: 'awaiting_approval' })
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    await approveWaiting(harness, waiting!)
    await world.work()
    expect(world.applied).toEqual(['production/net=2', 'production/app=a|id=2'])
  })

  it('other than predicted ask again', async () => {
    const mr = await propose(harness, 'two', { 'net/value': '2' })
    await world.work()
    await approve(harness, mr.id)
    await merge(harness, mr.id)
    const { script } = world
    const apply = script.apply!
    script.apply = async (grant) => ({
      ...(await apply(grant)),
      ...(grant.stack.name === 'net' && { outputs: { value: { value: 'surprise', sensitive: false } } }),
    })
    await world.work()
    expect(world.applied).toEqual(['production/net=2'])
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ reason: 'plan_changed', desiredDigest: expect.any(String) })
  })

  it('that nobody gives yet end the run with what to do', async () => {
    await harness.push('main', {
      'trueup.yaml': configOf({ net: {}, app: { inputs: { id: 'net.nothing' } } }),
    })
    await world.work()
    const [run] = await runsOf(harness, { kind: 'deploy', stack: 'production/app' })
    expect(run).toMatchObject({
      state: 'failed',
      error: { code: 'CONFLICT' },
      message: expect.stringContaining('nothing'),
    })
  })
})
