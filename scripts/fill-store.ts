import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fillStore } from '../bench/large-store.ts'
import { DATABASE_FILE } from '../src/store/store.ts'

/** Gives a stopped server's data directory a long history, to see what everything costs then. Never use it on real data. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1000000' }, stacks: { type: 'string', default: '10000' } },
})
const [directory] = positionals
const size = { runs: Number(values.runs), stacks: Number(values.stacks) }
if (
  directory === undefined ||
  !existsSync(join(directory, DATABASE_FILE)) ||
  !Object.values(size).every(Number.isInteger)
) {
  console.error(
    'node scripts/fill-store.ts DATA [--runs N] [--stacks N]; DATA has at least one run, stack and merge request',
  )
  process.exitCode = 2
} else {
  const began = performance.now()
  fillStore(join(directory, DATABASE_FILE), size)
  console.log(`${size.runs} runs and ${size.stacks} stacks in ${((performance.now() - began) / 1000).toFixed(1)} s`)
}
