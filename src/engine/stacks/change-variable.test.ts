import { describe, expect, it } from 'vitest'
import { listFormer } from '../../store/stacks/former-variables.ts'
import { listVariables } from '../../store/stacks/variables.ts'
import { approveWaiting, audited, bootstrap, configOf, runsOf, stackOf } from '../testing/flows.ts'
import { useWorld } from '../testing/use-world.ts'
import { deleteVariable, setVariable } from './change-variable.ts'
import { formerSecretsFor } from './variables.ts'

const environments = { production: { tier: 'production' }, lab: {} }
const CONFIG = configOf({ a: { environments: ['production', 'lab'] } }, { environments })

describe('a variable', () => {
  const { harness, world } = useWorld({ files: { 'trueup.yaml': CONFIG, 'a/value': '1' } })
  const set = (more: object = {}) =>
    setVariable(harness.engine.parts, {
      repositoryId: harness.repositoryId,
      environment: null,
      stack: null,
      name: 'SIZE',
      phase: 'both',
      value: 'big',
      secret: false,
      actorId: harness.users.second.id,
      ...more,
    })

  it('is sealed, and neither it nor its audit event holds the value', async () => {
    await set({ value: 'hunter2', secret: true })
    const [variable] = await listVariables(harness.store.db, harness.repositoryId)
    expect(JSON.stringify(variable)).not.toContain('hunter2')
    const [event] = await audited(harness, 'variable.set')
    expect(event).toMatchObject({ data: { name: 'SIZE', secret: true, version: 1 } })
    expect(JSON.stringify(event)).not.toContain('hunter2')
  })

  it('that is secret is known to the masker in its last five former values, in its own phase and scope', async () => {
    const { db } = harness.store
    const { keys } = harness.engine.parts
    const former = (name: string, phase: 'plan' | 'apply', environment = 'lab') =>
      formerSecretsFor(db, keys, harness.repositoryId, { name, environment }, phase)
    for (const value of ['v-0', 'v-1', 'v-2', 'v-2', 'v-3', 'v-4', 'v-5', 'v-6']) await set({ value, secret: true })
    expect((await former('a', 'plan')).sort()).toEqual(['v-1', 'v-2', 'v-3', 'v-4', 'v-5', 'v-6'])
    const narrow = await set({ value: 'narrow-1', secret: true, environment: 'lab', stack: 'a', phase: 'apply' })
    await deleteVariable(harness.engine.parts, { variableId: narrow.id, actorId: harness.users.second.id })
    expect(await former('a', 'apply')).toContain('narrow-1')
    expect(await former('a', 'plan')).not.toContain('narrow-1')
    expect(await former('b', 'apply')).not.toContain('narrow-1')
    expect(await former('a', 'apply', 'production')).not.toContain('narrow-1')
    // Open ones are no secrets, before and after.
    await set({ name: 'OPEN', value: 'open-1' })
    await set({ name: 'OPEN', value: 'open-2' })
    expect(await former('a', 'plan')).not.toContain('open-1')
    const rows = JSON.stringify(await listFormer(db, harness.repositoryId))
    expect(rows).not.toMatch(/v-\d|narrow-1/)
  })

  it('that changes is deployed at once where nothing is protected, and waits for approval where something is', async () => {
    await set()
    await harness.settle()
    await world.work()
    expect(world.applied).toEqual(['lab/a=1|SIZE:big'])
    expect(await stackOf(harness, 'production/a')).toMatchObject({ status: 'awaiting_approval' })
    const [waiting] = await runsOf(harness, { state: 'awaiting_approval' })
    expect(waiting).toMatchObject({ kind: 'deploy', mrId: null })
    await approveWaiting(harness, waiting!)
    await world.work()
    expect(world.things.get('production/a')).toBe('1|SIZE:big')
  })

  it('concerns only the stacks in its scope', async () => {
    await set({ environment: 'lab' })
    await harness.settle()
    await world.work()
    expect((await runsOf(harness, { kind: 'deploy' })).filter((run) => run.reason !== 'no_changes')).toHaveLength(1)
    expect(world.applied).toEqual(['lab/a=1|SIZE:big'])
  })

  it('of a narrower scope wins, and its deletion brings back the wider', async () => {
    await set({ environment: 'lab' })
    const narrow = await set({ environment: 'lab', stack: 'a', value: 'small' })
    await world.work()
    expect(world.things.get('lab/a')).toBe('1|SIZE:small')
    await deleteVariable(harness.engine.parts, { variableId: narrow.id, actorId: harness.users.second.id })
    await world.work()
    // Both are of version 1, and still they are not the same.
    expect(world.things.get('lab/a')).toBe('1|SIZE:big')
    const gone = deleteVariable(harness.engine.parts, { variableId: narrow.id, actorId: harness.users.second.id })
    await expect(gone).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is refused with a bad name or value', async () => {
    await expect(set({ name: '1X' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(set({ value: 'a\0b' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(set({ value: 'x'.repeat(65_537) })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
    await expect(set({ stack: 'a' })).rejects.toMatchObject({ code: 'INVALID_REQUEST' })
  })
})

describe('a variable of stacks that need each other', () => {
  const { harness, world } = useWorld()

  it('is deployed in the order of their needs, and not below one that fails', async () => {
    const config = configOf({ a: { needs: ['z'] }, z: {} }, { environments: { lab: {} } })
    await bootstrap(harness, world, { 'trueup.yaml': config, 'a/value': '1', 'z/value': '1' })
    const set = async (value: string) => {
      const scope = { repositoryId: harness.repositoryId, environment: null, stack: null }
      const variable = { name: 'SIZE', phase: 'both' as const, value, secret: false, actorId: harness.users.second.id }
      await setVariable(harness.engine.parts, { ...scope, ...variable })
      await world.work()
    }
    await set('big')
    expect(world.applied).toEqual(['lab/z=1|SIZE:big', 'lab/a=1|SIZE:big'])
    world.failing.add('lab/z')
    await set('small')
    expect(world.applied).toHaveLength(2)
    expect(await stackOf(harness, 'lab/a')).toMatchObject({ status: 'blocked' })
  })
})
