import { describe, expect, it } from 'vitest'
import { configOf, land, propose, runsOf } from '../testing/flows.ts'
import { leaseOne } from '../testing/puppet.ts'
import { useWorld } from '../testing/use-world.ts'
import { getWorker, patchWorker } from '../../store/workers/workers.ts'
import { whyWaiting } from './waiting.ts'

describe('what a queued run waits for', () => {
  const { harness, world } = useWorld({
    files: { 'trueup.yaml': configOf({ a: {}, b: { needs: ['a'] } }), 'a/value': '1', 'b/value': '1' },
  })

  const why = async (stack: string) => {
    const [run] = await runsOf(harness, { stack, state: 'queued' })
    return await whyWaiting(harness.engine.parts, run!)
  }
  const connected = async () => {
    harness.engine.worker.subscribe(harness.workerId, () => {})
    // The pools of a worker are read first.
    await expect.poll(() => harness.engine.parts.hub.connected()[0]?.pools).toEqual(['default'])
  }

  it('is a worker, until one of its pool is connected', async () => {
    await propose(harness, 'two', { 'a/value': '2' })
    expect(await why('production/a')).toContain('no worker of pool "default" is connected')
    await connected()
    expect(await why('production/a')).toBeNull()
  })

  it('is another stack whose run waits for a person', async () => {
    await land(harness, world, 'two', { 'a/value': '2', 'b/value': '2' })
    world.things.set('production/a', 'foreign')
    await world.work()
    expect(await why('production/b')).toMatch(
      /^waits for production\/a: run run_\w+ is waiting for approval \(plan changed\)/,
    )
  })

  it('is the run of an earlier merge', async () => {
    await land(harness, world, 'two', { 'a/value': '2' })
    const grant = await leaseOne(harness)
    await land(harness, world, 'three', { 'a/value': '3' })
    expect(await why('production/a')).toBe(`waits for run ${grant!.runId} of the same stack: taken by a worker`)
  })
})

describe('what workers lack', () => {
  const hosts = [{ path: 'h', driver: 'ansible', with: { playbook: 'site.yml' } }]
  const config = JSON.parse(configOf({ a: {} })) as { stacks: object[] }
  config.stacks.push(...hosts)
  const { harness } = useWorld({
    leaseMs: 3_600_000,
    still: true,
    files: {
      'trueup.yaml': JSON.stringify(config),
      'a/value': '1',
      'h/site.yml': '- hosts: all\n',
      'h/hosts': 'web\n',
    },
  })
  const hello = { protocol: 2, version: '0', hostname: 'h', pools: ['default'], slots: 1, holding: [] }
  const say = async (tools?: { [name: string]: string }) =>
    await harness.engine.worker.call(harness.workerId, 'hello', { ...hello, tools })
  const note = async (more: { [member: string]: boolean }) => {
    const { info } = (await getWorker(harness.store.db, harness.workerId))!
    await harness.store.transaction((tx) => patchWorker(tx, harness.workerId, { info: { ...info, ...more } }))
  }
  const why = async (stack: string) => {
    const [run] = await runsOf(harness, { stack, state: 'queued' })
    return await whyWaiting(harness.engine.parts, run!)
  }

  it('is said by program, with what is there, and the run is given to nobody else until one has it', async () => {
    harness.engine.worker.subscribe(harness.workerId, () => {})
    await expect.poll(() => harness.engine.parts.hub.connected()[0]?.pools, { timeout: 60_000 }).toEqual(['default'])
    await say({ tofu: '1.12.6', helm: '' })
    await propose(harness, 'two', { 'a/value': '2', 'h/site.yml': '- hosts: web\n' })
    expect(await why('production/h')).toMatch(
      /^no worker in pool "default" has ansible-playbook: \S+ has helm, tofu 1\.12\.6$/,
    )
    const grant = await leaseOne(harness)
    expect(grant?.stack.name).toBe('a')
    expect(await leaseOne(harness)).toBeNull()
    await harness.engine.worker.call(harness.workerId, 'tools', { tools: { 'ansible-playbook': '2.19.1' } })
    expect(await why('production/h')).toBe('waits for a free slot: all 1 of pool "default" are taken')
    await note({ draining: true })
    expect(await why('production/h')).toContain('every worker of pool "default" that could take it is drained')
    await note({ draining: false })
    expect((await leaseOne(harness))?.stack.name).toBe('h')
  })

  it('is nothing of a worker that does not say what it has', async () => {
    await say()
    await propose(harness, 'two', { 'h/site.yml': '- hosts: web\n' })
    expect((await leaseOne(harness))?.stack.name).toBe('h')
  })
})
