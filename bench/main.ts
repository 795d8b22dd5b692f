import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { type Against, benchAgainst, checkOut } from './against.ts'
import { benchDirectory, type Benchmark, type BenchOutcome, describeLoad } from './harness.ts'

/** Loaded only when asked for, so that one benchmark does not pay for, or break with, another. */
const BENCHMARKS = new Map<string, () => Promise<Benchmark>>([
  ['B1', async () => (await import('./b1.ts')).b1],
  ['B2', async () => (await import('./b2.ts')).b2],
  ['B3', async () => (await import('./b3.ts')).b3],
  ['B4', async () => (await import('./b4.ts')).b4],
  ['B5', async () => (await import('./b5.ts')).b5],
  ['B6', async () => (await import('./b6.ts')).b6],
  ['B7', async () => (await import('./b7.ts')).b7],
  ['B8', async () => (await import('./b8.ts')).b8],
  ['B9', async () => (await import('./b9.ts')).b9],
  ['B10', async () => (await import('./b10.ts')).b10],
  ['B13', async () => (await import('./b13.ts')).b13],
  ['B16', async () => (await import('./b16.ts')).b16],
  ['B17', async () => (await import('./b17.ts')).b17],
  ['B18', async () => (await import('./b18.ts')).b18],
  ['B19', async () => (await import('./b19.ts')).b19],
  ['OVERLOAD', async () => (await import('./overload.ts')).overload],
  ['GROWTH', async () => (await import('./growth.ts')).growth],
  ['W1', async () => (await import('./w1.ts')).w1],
  ['W2', async () => (await import('./w2.ts')).w2],
])

const USAGE =
  'npm run bench -- [B1 B8 … | all] [--pairs N] [--against REV] [--stacks N] [--days N] [--runs N] [--agents N] [--database postgres] [--json]; --list'

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: 'string', default: '10' },
      against: { type: 'string' },
      stacks: { type: 'string' },
      days: { type: 'string' },
      database: { type: 'string' },
      runs: { type: 'string' },
      agents: { type: 'string' },
      json: { type: 'boolean' },
      list: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help || values.list) return list()
  const pairs = Number(values.pairs)
  if (!Number.isInteger(pairs) || pairs < 1) return complain(`--pairs takes a whole number from 1, not ${values.pairs}`)
  // B3a is its variant with `terraform_data`, the only one that there is.
  const named = positionals.map((id) => id.toUpperCase().replace(/^B3A$/, 'B3'))
  // Read where a benchmark is loaded, which is later.
  for (const size of ['stacks', 'days', 'runs', 'agents', 'database'] as const)
    if (values[size] !== undefined) process.env[`TRUEUP_BENCH_${size.toUpperCase()}`] = values[size]
  const ids = named.includes('ALL') ? [...BENCHMARKS.keys()] : named
  const unknown = ids.filter((id) => !BENCHMARKS.has(id))
  if (unknown.length > 0) return complain(`there is no benchmark ${unknown.join(', ')}`)
  if (ids.length === 0) return list()

  if (values.against !== undefined) return await compare(ids, values.against, { rounds: pairs, json: values.json })
  const results: BenchResult[] = []
  for (const id of ids) {
    const benchmark = await BENCHMARKS.get(id)?.()
    if (!benchmark) continue
    console.log(`${benchmark.id}: ${benchmark.title}\naim: ${benchmark.aim}; ${pairs} pairs; ${describeLoad()}`)
    const directory = await benchDirectory()
    try {
      const outcome = await benchmark.run({ pairs, directory, print: (line) => console.log(`  ${line}`) })
      results.push(resultOf(benchmark, outcome))
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
  for (const result of results) console.log(values.json ? JSON.stringify(result) : summary(result))
  return 0
}

/** Each benchmark here and at another revision, interleaved. */
async function compare(
  ids: readonly string[],
  revision: string,
  { rounds, json }: { rounds: number; json: boolean | undefined },
): Promise<number> {
  const other = checkOut(revision)
  try {
    const results: (BenchResult & { against: Against })[] = []
    for (const id of ids) {
      console.log(`${id} here and at ${other.revision}; ${rounds} rounds; ${describeLoad()}`)
      const print = (line: string): void => console.log(`  ${line}`)
      results.push(await benchAgainst<BenchResult>(id, other, { rounds, print }))
    }
    for (const result of results) {
      const { cpuRatio, cpuOfIts } = result.against
      const text = `${summary(result)}; ${other.revision}: cpu ${cpuRatio}×, this one ${cpuOfIts} of that`
      console.log(json ? JSON.stringify(result) : text)
    }
    return 0
  } finally {
    other.remove()
  }
}

/** The last line of `--json`, with its fields in this order. */
type BenchResult = Pick<Benchmark, 'id' | 'aim'> & BenchOutcome

function resultOf({ id, aim }: Benchmark, { cpuRatio, wallRatio, met, pairs, details }: BenchOutcome): BenchResult {
  return { id, cpuRatio, wallRatio, aim, met, pairs, ...(details && { details }) }
}

function summary({ id, cpuRatio, wallRatio, aim, met, pairs }: BenchResult): string {
  const n = (value: number | null): string => (value === null ? '–' : value.toFixed(2))
  return `${id}: cpu ${n(cpuRatio)}×, wall ${n(wallRatio)}× of the floor over ${pairs} pairs; aim ${aim}: ${met ? 'met' : 'MISSED'}`
}

async function list(): Promise<number> {
  console.log(USAGE)
  for (const load of BENCHMARKS.values()) {
    const { id, title, aim } = await load()
    console.log(`  ${id.padEnd(4)} ${title} (aim: ${aim})`)
  }
  return 0
}

function complain(why: string): number {
  console.error(`${why}\navailable: ${[...BENCHMARKS.keys()].join(' ')}\n${USAGE}`)
  return 1
}

process.exitCode = await main()
