import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProcess } from '../src/lib/process/run.ts'
import type { ProcessResult, ProcessSpec } from '../src/lib/process/supervise.ts'
import { findBubblewrap } from '../src/worker/sandbox/bubblewrap.ts'
import { openSandboxes, type Sandbox } from '../src/worker/sandbox/sandbox.ts'
import { DEFAULT_LIMITS } from '../src/worker/sandbox/settings.ts'
import { type Benchmark, type BenchOptions, type BenchOutcome, median, round, skip } from './harness.ts'

const STARTS = 40
const AIM_MS = 15
const AIM_MIB = 3

/** What a sandbox costs a plan: a tool that does nothing, beside the worker and in one. */
export const b18: Benchmark = {
  id: 'B18',
  title: 'a tool in a sandbox, and beside the worker',
  aim: `< ${AIM_MS} ms and < ${AIM_MIB} MiB more for each`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const found = findBubblewrap(process.env.PATH ?? '')
  if (found.why !== undefined) return skip(options, `bubblewrap: ${found.why}`)
  const [root, cache] = [join(options.directory, 'run'), join(options.directory, 'cache')]
  for (const path of [join(root, 'tree'), cache]) mkdirSync(path, { recursive: true })
  const sandboxes = openSandboxes({ mode: 'require', read: [], allow: [], limits: DEFAULT_LIMITS, hide: [] })
  const open = (untrusted: boolean, network: string[]): Promise<Sandbox> =>
    sandboxes.open({ untrusted, network, workspace: { root, tree: join(root, 'tree') }, cache, log: () => {} })
  const [untrusted, wide, reaching] = [
    await open(true, []),
    await open(false, []),
    await open(true, ['a.example.org:1']),
  ]
  const ways = { beside: runProcess, untrusted: untrusted.run, wide: wide.run, reaching: reaching.run }
  const times: { [way: string]: number[] } = {}
  const spec = { argv: ['/bin/true'], cwd: root, env: { PATH: '/usr/bin:/bin' } }
  for (let round_ = 0; round_ < options.pairs * STARTS; round_++)
    for (const [way, start] of Object.entries(ways)) (times[way] ??= []).push(await timed(start, spec))
  const middle = (way: string): number => median(times[way]!)
  const memory = { beside: await memoryOf(runProcess), untrusted: await memoryOf(untrusted.run) }
  await Promise.all([untrusted, wide, reaching].map((sandbox) => sandbox.close()))
  const more = (way: string): number => round(middle(way) - middle('beside'))
  const mib = round((memory.untrusted - memory.beside) / 1024)
  options.print(
    `beside ${round(middle('beside'))} ms; more: ${more('untrusted')} ms, all of the machine read-only ${more('wide')} ms,`,
  )
  options.print(`    with a way out ${more('reaching')} ms; ${mib} MiB more while it runs`)
  return {
    cpuRatio: null,
    wallRatio: round(middle('untrusted') / middle('beside')),
    met: more('untrusted') < AIM_MS && mib < AIM_MIB,
    pairs: options.pairs,
    details: { moreMs: more('untrusted'), wideMs: more('wide'), reachingMs: more('reaching'), moreMiB: mib },
  }
}

type Start = (spec: ProcessSpec) => Promise<ProcessResult>

async function timed(start: Start, spec: ProcessSpec): Promise<number> {
  const from = performance.now()
  await start(spec)
  return performance.now() - from
}

/** KiB of all processes of one tool: their own pages, and their part of shared ones (proc(5), Pss of smaps_rollup). */
async function memoryOf(start: Start): Promise<number> {
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const stop = new AbortController()
  let [pid, held] = [0, 0]
  const running = start({
    argv: ['/bin/sh', '-c', 'echo ready; exec sleep 300'],
    env: { PATH: '/usr/bin:/bin' },
    kill: stop.signal,
    onStart: (started) => (pid = started),
    onLine: () => resolve(),
  })
  await ready
  for (const queue = [pid]; queue.length > 0; ) {
    const next = queue.pop()!
    held += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${next}/smaps_rollup`, 'latin1'))?.[1] ?? 0)
    const children = readFileSync(`/proc/${next}/task/${next}/children`, 'latin1')
    queue.push(...children.split(' ').filter(Boolean).map(Number))
  }
  stop.abort()
  await running
  return held
}
