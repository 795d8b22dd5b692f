import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { appendAudit } from '../src/store/audit/audit.ts'
import { startPostgres } from '../src/store/database/postgres/testing/cluster.ts'
import { getMeta, setMeta } from '../src/store/database/meta.ts'
import { openStore, type Store } from '../src/store/open.ts'
import { enqueueTask } from '../src/store/runs/tasks.ts'
import { findTool } from '../test/tools.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, median, round, skip } from './harness.ts'

const WRITES = 100
const READS = 1000
const READERS = 16
const AIM = 3

/** The same work of the store in PostgreSQL and in the embedded database, both durable on the same disk. */
export const b19: Benchmark = {
  id: 'B19',
  title: 'the store on PostgreSQL, and embedded',
  aim: `≤ ${AIM}× wall for a transaction of two rows`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const tool = findTool('postgres')
  if (tool === null) return skip(options, 'postgres')
  // Not in memory: a commit is as long as its disk takes.
  const directory = await mkdtemp('/tmp/trueup-b19-')
  const server = await startPostgres(tool.path, { sync: true })
  try {
    const database = await server.database()
    const embedded = await openStore(join(directory, 'embedded'))
    const elsewhere = await openStore(join(directory, 'elsewhere'), { database })
    const seen = { writes: [[], []], reads: [[], []] } as { [what: string]: [number[], number[]] }
    for (let pair = 0; pair <= options.pairs; pair++)
      for (const [at, store] of [embedded, elsewhere].entries()) {
        const [writes, reads] = [await timed(() => write(store, pair)), await timed(() => read(store))]
        // The first of each prepares statements, plans and pages.
        if (pair === 0) continue
        seen['writes']![at]!.push(writes / WRITES)
        seen['reads']![at]!.push(reads / READS)
      }
    await embedded.close()
    await elsewhere.close()
    const ratio = (what: string): number => round(median(seen[what]![1]) / median(seen[what]![0]))
    const ms = (what: string): string => seen[what]!.map((times) => median(times).toFixed(2)).join(' and ')
    options.print(`a transaction of two rows, embedded and there: ${ms('writes')} ms, ${ratio('writes')}×`)
    options.print(`a read by its key, ${READERS} at a time: ${ms('reads')} ms, ${ratio('reads')}×`)
    return {
      cpuRatio: null,
      wallRatio: ratio('writes'),
      met: ratio('writes') <= AIM,
      pairs: options.pairs,
      details: { readsRatio: ratio('reads'), writesMs: ms('writes'), readsMs: ms('reads') },
    }
  } finally {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

async function write(store: Store, pair: number): Promise<void> {
  for (let at = 0; at < WRITES; at++)
    await store.transaction(async (tx) => {
      await enqueueTask(tx, { kind: 'bench', key: `${pair}-${at}`, payload: {} })
      await appendAudit(tx, { actor: 'system', action: 'bench.write', subject: `${at}` })
    })
}

async function read(store: Store): Promise<void> {
  await setMeta(store.db, 'bench', 'x')
  for (let at = 0; at < READS; at += READERS)
    await Promise.all(Array.from({ length: READERS }, () => getMeta(store.db, 'bench')))
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = performance.now()
  await work()
  return performance.now() - from
}
