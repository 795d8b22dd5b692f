import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findTool } from '../tools.ts'
import { describeWithSandbox } from './available.ts'
import { VOUCHED } from './host-stacks.ts'
import { CONTAINED } from './stacks.ts'
import { type Aim, AIMS, openWorld, type World } from './world.ts'

/** What succeeds without a sandbox wherever the tests run; the others need a metadata service, or root. */
const BITES: readonly Aim[] = ['worker', 'run', 'cache', 'phase', 'loopback', 'named', 'socket', 'abstract', 'outside',
  'signal', 'outlive', 'disk', 'link'] // biome-ignore format: a list

const here = [...CONTAINED, ...VOUCHED].filter(({ needs }) => needs.every((tool) => findTool(tool) !== null))
const vehicles = here.flatMap((stack) => stack.vehicles)

/**
 * Each way in which a driver runs code of the repository is given everything that such code could be after: each pair is an
 * attempt. Tools whose absence is no failure here fail other suites.
 */
describeWithSandbox('hostile stacks', () => {
  let inside: World
  let beside: World
  beforeAll(async () => {
    ;[inside, beside] = await Promise.all([openWorld(vehicles), openWorld(vehicles)])
    for (const stack of here) {
      await stack.plan(inside, true)
      await stack.plan(beside, false)
    }
  })
  afterAll(async () => {
    await inside?.close()
    await beside?.close()
  })

  describe.each(vehicles)('%s, in a sandbox', (vehicle) => {
    it('runs', () => expect([...inside.ran()]).toContain(vehicle))
    it.each(AIMS)('does not reach %s', (aim) => {
      expect([...inside.successes()]).not.toContain(`${vehicle}.${aim}`)
    })
  })

  it('comes through beside the worker, so that the corpus is known to bite', () => {
    const wanted = vehicles.flatMap((vehicle) => BITES.map((aim) => `${vehicle}.${aim}`))
    const missed = wanted.filter((attempt) => !beside.successes().has(attempt))
    expect(missed).toEqual([])
    expect(vehicles.length * AIMS.length).toBeGreaterThanOrEqual(60)
  })
})
