import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Benchmark,
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
  describeSpread,
  findProgram,
  outcomeOf,
  round,
  runContestant,
  type Spread,
  spread,
} from './harness.ts'

const DIRECTORIES = 100
const FILES_EACH = 100
const FILES = DIRECTORIES * FILES_EACH
const DRIFTED = 100
/** An agent is one process that audits again and again: start-up is spread over this many audits, on both sides. */
const PASSES = 20
const AUDIT_AIM = 2
const LATENCY_AIM_MS = 10

const program = (name: string): string => new URL(`./b8/${name}.ts`, import.meta.url).pathname

/** 10,000 managed host files of 1.5 KB: audit without a change, 100 drifted ones fixed, one edit noticed. */
export const b8: Benchmark = {
  id: 'B8',
  title: '10,000 host files: no-op audit, 100 fixed, one edit noticed',
  aim: `full audit ≤ ${AUDIT_AIM}× sha256sum -c (CPU), an edit noticed in ≤ ${LATENCY_AIM_MS} ms`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const { directory, print } = options
  makeFiles(directory)
  await sleep(2500) // Files younger than two seconds are hashed again whatever the cache says.

  print(`(a) ${PASSES} audits in one process, nothing has changed; the floor reads and hashes the same files`)
  const floor = sha256sum(directory)
  const audit = await comparePairs(ours(directory, 'audit'), floor, options)
  const fewer = { ...options, pairs: Math.max(1, Math.ceil(options.pairs / 3)) }
  if (audit.cpu.median > AUDIT_AIM) {
    print(
      `    ${(audit.cpu.median - AUDIT_AIM).toFixed(2)}× above the aim: by profile, more than a third of our time are two lstat calls per file`,
    )
    print('    (is it still what it was compared to, on both sides), which the floor does not make')
  }
  print('    the same with an empty cache, so that the wanted files are hashed as well')
  const cold = await comparePairs(ours(directory, 'cold'), floor, fewer)
  print('    between two full audits, when the stat data says that nothing was touched')
  await runContestant(ours(directory, 'audit'))
  const warm = await comparePairs(ours(directory, 'warm'), floor, fewer)

  print(`(b) ${DRIFTED} drifted files put right, process start included`)
  const fixed = await fix(directory, fewer)
  print('(c) one edit, from the write to the report of its path')
  const latency = await measureLatency(directory, print)

  return outcomeOf(audit, audit.cpu.median <= AUDIT_AIM && latency.median <= LATENCY_AIM_MS, {
    coldCacheCpuRatio: round(cold.cpu.median),
    statCacheCpuRatio: round(warm.cpu.median),
    fixCpuRatio: fixed === null ? null : round(fixed.cpu.median),
    fixWallRatio: fixed === null ? null : round(fixed.wall.median),
    latencyMedianMs: round(latency.median),
    latencyMaxMs: round(latency.max),
  })
}

function makeFiles(directory: string): void {
  const wanted = join(directory, 'workspace/stack')
  for (let d = 0; d < DIRECTORIES; d++) {
    mkdirSync(join(wanted, `d${d}`), { recursive: true })
    for (let f = 0; f < FILES_EACH; f++)
      writeFileSync(join(wanted, `d${d}/f${f}`), `${randomBytes(750).toString('hex')}\n`)
  }
  cpSync(wanted, join(directory, 'host'), { recursive: true })
  mkdirSync(join(directory, 'scratch'))
  const list = execFileSync('bash', ['-c', 'find . -type f | sort | xargs sha256sum'], { cwd: join(directory, 'host') })
  writeFileSync(join(directory, 'SHA256SUMS'), list)
}

function ours(directory: string, work: 'audit' | 'cold' | 'warm'): Contestant {
  return {
    name: `trueup ${work}`,
    argv: [process.execPath, program('contestant'), directory, work, String(PASSES)],
    proof: ({ stdout }) => Promise.resolve(proofOfAudits(directory, stdout.trim().split('\n'))),
  }
}

/** Prints a line for each file, as it does when it is run by hand; the lines are counted outside of the measured time. */
function sha256sum(directory: string): Contestant {
  const answers = join(directory, 'answers')
  const sums = join(directory, 'SHA256SUMS')
  return {
    name: 'sha256sum -c',
    argv: [
      'bash',
      '-c',
      `for ((i = 0; i < ${PASSES}; i++)); do sha256sum -c "$0" >"$1.$i" || exit; done`,
      sums,
      answers,
    ],
    cwd: join(directory, 'host'),
    proof: () => {
      const passes = Array.from({ length: PASSES }, (_, i) =>
        readFileSync(`${answers}.${i}`, 'utf8').trim().split('\n'),
      )
      const right = passes.map((lines) => lines.filter((line) => line.endsWith(': OK')).length)
      return Promise.resolve(
        proofOfAudits(
          directory,
          right.map((count) => `${count} files, ${FILES - count} differ`),
        ),
      )
    },
  }
}

/** The answer of every pass, and the files as they are afterwards. */
function proofOfAudits(directory: string, answers: readonly string[]): string {
  const expected = `${FILES} files, 0 differ`
  const wrong = answers.find((answer) => answer !== expected)
  return `${answers.length} × ${wrong ?? expected}, ${hashTree(join(directory, 'host'))}`
}

async function fix(directory: string, options: BenchOptions): Promise<{ cpu: Spread; wall: Spread } | null> {
  const host = join(directory, 'host')
  const prepare = (): Promise<void> => {
    for (let i = 0; i < DRIFTED; i++) {
      const path = join(host, `d${i % DIRECTORIES}`, `f${(i * 7) % FILES_EACH}`)
      appendFileSync(path, 'drift\n')
    }
    return Promise.resolve()
  }
  const proof = (): Promise<string> => Promise.resolve(hashTree(host))
  const argv = [process.execPath, program('contestant'), directory, 'fix']
  const mine: Contestant = { name: 'trueup fix', argv, prepare, proof }
  const rsync = findProgram('rsync')
  if (rsync) {
    const source = `${join(directory, 'workspace/stack')}/`
    const floor: Contestant = {
      name: 'rsync -rc',
      argv: [rsync, '-rcp', '--fsync', source, `${host}/`],
      prepare,
      proof,
    }
    return comparePairs(mine, floor, options)
  }
  const { run: alone, proof: end } = await runContestant(mine)
  const right = end === hashTree(join(directory, 'workspace/stack')) ? 'end state proven' : 'END STATE WRONG'
  options.print(`trueup fix cpu ${alone.cpuSeconds.toFixed(3)} s wall ${alone.wallSeconds.toFixed(3)} s, ${right}`)
  options.print('SKIPPED: rsync is not installed, so there is no floor for (b)')
  return null
}

async function measureLatency(directory: string, print: (line: string) => void): Promise<Spread> {
  const argv = [process.execPath, program('latency'), directory, '50']
  const { run: done } = await runContestant({ name: 'trueup watch', argv, proof: () => Promise.resolve('') })
  const latency = spread(done.stdout.trim().split('\n').map(Number))
  print(`50 edits: ${describeSpread(latency)} ms`)
  return latency
}

/** Names and contents of everything below a directory, but for Trueup's own files. */
function hashTree(directory: string): string {
  const hash = createHash('sha256')
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.trueup-'))
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort()
  for (const path of paths)
    hash
      .update(`${path.slice(directory.length)}\0`)
      .update(readFileSync(path))
      .update('\0')
  return hash.digest('hex')
}
