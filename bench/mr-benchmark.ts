import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findTool } from '../test/tools.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, skip } from './harness.ts'
import { makeFloorCheckout, type MrWorld, startMrWorld } from './mr-world.ts'

export interface MrBench {
  world: MrWorld
  /** The floor's working copy, deployed like ours. */
  checkout: string
  /** Path of terraform. */
  terraform: string
}

/** A benchmark of merge requests of Terraform stacks. Nothing it starts outlives it; without terraform the result says so. */
export function mrBenchmark(
  about: Omit<Benchmark, 'run'>,
  work: (bench: MrBench, options: BenchOptions) => Promise<BenchOutcome>,
): Benchmark {
  return {
    ...about,
    async run(options) {
      const terraform = findTool('terraform')?.path
      if (terraform === undefined)
        return skip(
          options,
          'terraform: it is neither on PATH nor in .tools/bin ("npm run tools" installs what it can)',
        )
      const checkout = join(options.directory, 'checkout')
      mkdirSync(checkout)
      makeFloorCheckout(checkout, terraform)
      const world = await startMrWorld(options.directory, dirname(terraform))
      try {
        return await work({ world, checkout, terraform }, options)
      } finally {
        await world.stop()
      }
    },
  }
}
