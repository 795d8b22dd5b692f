import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GitRepository } from '../git/repository.ts'
import { approve, configOf, merge, mrOf, propose, runsOf, stackOf } from './testing/flows.ts'
import { type EngineHarness, startHarness } from './testing/harness.ts'
import { createWorld, type World } from './testing/world.ts'
import { previewsOf } from './merge-requests/previews.ts'

const STACKS = 2_000
const paths = Array.from({ length: STACKS }, (_, index) => `apps/${String(index).padStart(4, '0')}`)

/** Calls of methods that go to Git, by name. */
function counted(git: GitRepository): { calls: Map<string, number>; restore: () => void } {
  const calls = new Map<string, number>()
  const methods = git as unknown as { [name: string]: unknown }
  const originals: [string, unknown][] = Object.entries(methods).filter(([, value]) => typeof value === 'function')
  for (const [name, original] of originals) {
    methods[name] = (...parameters: unknown[]) => {
      calls.set(name, (calls.get(name) ?? 0) + 1)
      return (original as (...parameters: unknown[]) => unknown).apply(git, parameters)
    }
  }
  return { calls, restore: () => originals.forEach(([name, original]) => (methods[name] = original)) }
}

describe(`a repository of ${STACKS} stacks`, () => {
  let harness: EngineHarness
  let world: World
  beforeAll(async () => {
    harness = await startHarness()
    world = createWorld(harness)
    const config = configOf({ 'apps/*': {} })
    await harness.push('main', {
      'trueup.yaml': config,
      ...Object.fromEntries(paths.map((path) => [`${path}/value`, '1'])),
    })
    // As if they had been deployed long ago; deploying them is not what is measured here.
    await harness.store.transaction((tx) => tx.updateTable('runs').set({ state: 'succeeded', finishedAt: 1 }).execute())
  })
  afterAll(() => harness.stop())

  const updates = async () => {
    const rows = await harness.store.db.selectFrom('stacks').select(['id', 'updatedAt']).execute()
    return new Map(rows.map((row) => [row.id, row.updatedAt]))
  }

  it('costs an MR of one stack what one stack costs', async () => {
    const before = await updates()
    const git = counted(harness.git)
    const mr = await propose(harness, 'two', { 'apps/0007/value': '2' })
    git.restore()
    const total = [...git.calls.values()].reduce((sum, count) => sum + count, 0)
    expect(total, JSON.stringify([...git.calls])).toBeLessThan(60)
    expect(git.calls.get('mergeTree')).toBe(1)
    expect(Object.keys(previewsOf(await mrOf(harness, mr.id)))).toEqual(['production/apps/0007'])
    expect(await updates()).toEqual(before)

    world.things.set('production/apps/0007', '1')
    await world.work()
    await approve(harness, mr.id)
    const merging = counted(harness.git)
    await merge(harness, mr.id)
    merging.restore()
    expect([...merging.calls.values()].reduce((sum, count) => sum + count, 0)).toBeLessThan(60)
    await world.work()
    const after = await updates()
    const touched = [...after].filter(([id, at]) => before.get(id) !== at).map(([id]) => id)
    expect(touched).toEqual([(await stackOf(harness, 'production/apps/0007')).id])
    expect((await runsOf(harness, { kind: 'preview' })).length).toBe(1)
  })

  it('writes only what a change of settings changes', async () => {
    const before = await updates()
    const config = JSON.parse(configOf({ 'apps/*': {} })) as { stacks: object[]; policies?: object[] }
    config.policies = [{ name: 'p', when: 'false', then: 'warn' }]
    await harness.push('main', { 'trueup.yaml': JSON.stringify(config) })
    await world.work()
    expect(await updates()).toEqual(before)
  })
})
