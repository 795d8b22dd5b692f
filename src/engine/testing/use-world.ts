import { afterEach, beforeEach } from 'vitest'
import { standIn } from '../../lib/testing/stand-in.ts'
import { bootstrap } from './flows.ts'
import { type EngineHarness, type Files, type HarnessOptions, startHarness } from './harness.ts'
import { createWorld, type World } from './world.ts'

/** Gives each test that follows an engine and a world of its own; `files` are on main and deployed when it begins. */
export function useWorld({ files, ...options }: HarnessOptions & { files?: Files } = {}): {
  harness: EngineHarness
  world: World
} {
  let harness: EngineHarness | undefined
  let world: World | undefined
  beforeEach(async () => {
    harness = await startHarness(options)
    world = createWorld(harness)
    if (files) await bootstrap(harness, world, files)
  })
  afterEach(() => harness?.stop())
  return { harness: standIn(() => harness), world: standIn(() => world) }
}
