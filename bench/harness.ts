import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'

/** One row of the benchmark table; `bench/<id>.ts` exports it and `bench/main.ts` lists it. */
export interface Benchmark {
  /** `B8`. */
  id: string
  title: string
  /** The aim in words, e.g. `≤ 2× sha256sum -c`. */
  aim: string
  run(options: BenchOptions): Promise<BenchOutcome>
}

export interface BenchOptions {
  /** Interleaved pairs A,B,A,B… */
  pairs: number
  /** Empty private directory on tmpfs where there is one; removed afterwards. */
  directory: string
  /** One line for people. */
  print: (line: string) => void
}

/** Ratios are ours/floor: medians over the pairs; below 1 we are cheaper. */
export interface BenchOutcome {
  /** CPU-seconds of the whole process tree, ours/floor. Null where a ratio says nothing (a latency). */
  cpuRatio: number | null
  wallRatio: number | null
  met: boolean
  /** Valid pairs. */
  pairs: number
  /** Further named numbers, e.g. `{ "latencyMs": 0.4 }`. */
  details?: { [name: string]: number | string | null }
}

/** The outcome that a comparison speaks for; `met` is told since every aim is another. */
export const outcomeOf = (report: PairsReport, met: boolean, details: BenchOutcome['details'] = {}): BenchOutcome => ({
  cpuRatio: round(report.cpu.median),
  wallRatio: round(report.wall.median),
  met,
  pairs: report.pairs,
  details,
})

/** The outcome where something is missing on this machine, which is said aloud. */
export function skip({ print }: BenchOptions, missing: string): BenchOutcome {
  print(`SKIPPED: missing ${missing}`)
  return { cpuRatio: null, wallRatio: null, met: false, pairs: 0, details: { skipped: missing } }
}

/** One side of a comparison: a program that does the whole work in a process of its own, from start to exit. */
export interface Contestant {
  name: string
  argv: string[]
  cwd?: string
  /** Added to PATH, HOME, LANG=C and TZ=UTC. */
  env?: { [name: string]: string }
  /** Brings the state back to the start before every run; not measured. */
  prepare?(): Promise<void>
  /** Runs it in another way than as one whole process; see `window.ts`. */
  measure?(): Promise<ContestantRun>
  /** Hash of the end state, or of the answer; both sides must give the same or the pair is void. Not measured. */
  proof(run: ContestantRun): Promise<string>
}

export interface ContestantRun {
  exitCode: number
  stdout: string
  stderr: string
  wallSeconds: number
  /** User + system time of the process and of everything it waited for. */
  cpuSeconds: number
}

export interface PairsReport {
  ours: ContestantRun[]
  floor: ContestantRun[]
  cpu: Spread
  wall: Spread
  /** Pairs whose end states were equal. */
  pairs: number
  /** Why pairs were void, one line each. */
  void: string[]
}

/** Median and spread of the per-pair ratio ours/floor. */
export interface Spread {
  median: number
  min: number
  max: number
  /** Lower and upper quartile. */
  quartiles: [number, number]
}

/**
 * Runs both contestants `pairs` times, interleaved A,B,A,B… (the order within a pair alternates, so that neither always
 * runs on warm caches of the other), after one unmeasured warm-up each. Prints one line per pair and the result.
 * Throws when a contestant ends with an exit code other than 0, or when no pair was valid.
 */
export async function comparePairs(
  ours: Contestant,
  floor: Contestant,
  options: BenchOptions & { warmUp?: boolean },
): Promise<PairsReport> {
  const report: PairsReport = { ours: [], floor: [], cpu: spread([]), wall: spread([]), pairs: 0, void: [] }
  if (options.warmUp !== false) for (const side of [ours, floor]) await runContestant(side)
  for (let pair = 1; pair <= options.pairs; pair++) {
    const sides = pair % 2 === 1 ? [ours, floor] : [floor, ours]
    const done = new Map<Contestant, { run: ContestantRun; proof: string }>()
    for (const side of sides) done.set(side, await runContestant(side))
    const a = done.get(ours)
    const b = done.get(floor)
    if (!a || !b) throw new Error('a contestant did not run')
    if (a.proof !== b.proof) {
      const line = `pair ${pair} void: end state of ${ours.name} ${a.proof.slice(0, 24)}, of ${floor.name} ${b.proof.slice(0, 24)}`
      report.void.push(line)
      options.print(line)
      continue
    }
    report.ours.push(a.run)
    report.floor.push(b.run)
    options.print(
      `pair ${String(pair).padStart(2)}  ${cost(ours, a.run)}  ${cost(floor, b.run)}  ratio cpu ${ratio(a.run.cpuSeconds, b.run.cpuSeconds).toFixed(2)} wall ${ratio(a.run.wallSeconds, b.run.wallSeconds).toFixed(2)}`,
    )
  }
  report.pairs = report.ours.length
  if (report.pairs === 0)
    throw new Error(`${ours.name} against ${floor.name}: no valid pair\n${report.void.join('\n')}`)
  report.cpu = spread(report.ours.map((run, i) => ratio(run.cpuSeconds, report.floor[i]?.cpuSeconds ?? Number.NaN)))
  report.wall = spread(report.ours.map((run, i) => ratio(run.wallSeconds, report.floor[i]?.wallSeconds ?? Number.NaN)))
  options.print(`${ours.name} / ${floor.name}: cpu ${describeSpread(report.cpu)}, wall ${describeSpread(report.wall)}`)
  return report
}

/** One measured run of one contestant, with its proof. */
export async function runContestant(contestant: Contestant): Promise<{ run: ContestantRun; proof: string }> {
  await contestant.prepare?.()
  const run = await (contestant.measure?.() ?? timed(contestant))
  if (run.exitCode !== 0) {
    throw new Error(
      `${contestant.name} ended with exit code ${run.exitCode}\n${run.stdout.slice(-2000)}${run.stderr.slice(-4000)}`,
    )
  }
  return { run, proof: await contestant.proof(run) }
}

/**
 * Runs a command under bash's `time`, which counts user and system time of the whole waited-for tree (wait4 rusage, to
 * the millisecond) and needs nothing but bash. Processes that outlive their parent are not counted: contestants wait.
 */
async function timed(contestant: Contestant): Promise<ContestantRun> {
  const directory = await mkdtemp(join(tmpdir(), 'trueup-bench-time-'))
  const file = join(directory, 'time')
  try {
    const script = `TIMEFORMAT='%R %U %S'; exec 3>&2; { time "$@" 2>&3; } 2>"$0"`
    const child = spawn('bash', ['-c', script, file, ...contestant.argv], {
      cwd: contestant.cwd,
      env: { ...baseEnvironment(), ...contestant.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
    })
    const [wall = Number.NaN, user = Number.NaN, system = Number.NaN] = (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .at(-1)!
      .split(' ')
      .map(Number)
    return {
      exitCode,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
      wallSeconds: wall,
      cpuSeconds: user + system,
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** What every contestant starts with; the same for both sides. */
export function baseEnvironment(): { [name: string]: string } {
  return {
    PATH: process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin',
    HOME: process.env.HOME ?? '/',
    LANG: 'C',
    LC_ALL: 'C',
    TZ: 'UTC',
    CHECKPOINT_DISABLE: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  }
}

/** A private directory on tmpfs (/dev/shm) where there is one: otherwise the file system decides the result. */
export async function benchDirectory(): Promise<string> {
  return mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'trueup-bench-'))
}

/** Absolute path of a program on PATH, or null: contestants that are missing are skipped, visibly. */
export function findProgram(name: string): string | null {
  for (const directory of (process.env.PATH ?? '').split(':')) {
    if (directory !== '' && existsSync(join(directory, name))) return join(directory, name)
  }
  return null
}

/** Wall times mean little on a busy machine; the report says how busy it was. */
export function describeLoad(): string {
  const load = loadavg()[0] ?? 0
  return `load ${load.toFixed(2)}${load > 0.3 ? ' (busy: trust the CPU ratios, not the wall ratios)' : ''}`
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number): number => {
    const place = (sorted.length - 1) * share
    const below = sorted[Math.floor(place)] ?? Number.NaN
    const above = sorted[Math.ceil(place)] ?? Number.NaN
    return below + (above - below) * (place - Math.floor(place))
  }
  return { median: at(0.5), min: at(0), max: at(1), quartiles: [at(0.25), at(0.75)] }
}

export const median = (values: readonly number[]): number => spread(values).median

export function describeSpread(of: Spread, digits = 2): string {
  const n = (value: number): string => value.toFixed(digits)
  return `${n(of.median)} (quartiles ${n(of.quartiles[0])}–${n(of.quartiles[1])}, range ${n(of.min)}–${n(of.max)})`
}

/** To the thousandth, or as fine as asked for. */
export const round = (value: number, digits = 3): number => Math.round(value * 10 ** digits) / 10 ** digits

const ratio = (ours: number, floor: number): number => ours / Math.max(floor, 0.001)

const cost = (side: Contestant, run: ContestantRun): string =>
  `${side.name} cpu ${run.cpuSeconds.toFixed(3)} s wall ${run.wallSeconds.toFixed(3)} s`
