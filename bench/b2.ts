import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BenchOptions,
  type BenchOutcome,
  type Benchmark,
  comparePairs,
  type Contestant,
  runContestant,
  round,
  spread,
} from './harness.ts'
import { makeManyStacks, type ManyStacks, STACKS, stackPath } from './many-stacks.ts'
import { createRandom } from './random.ts'
import { runWindow } from './window.ts'

const AIM = 0.05
const WORKSPACES = 1_000
/** Enough to rank the ways: some take half a second for each workspace. */
const TRIED = 5
const WAYS = ['read-tree', 'archive', 'sparse', 'worktree', 'clone'] as const
const NAMES = {
  'read-tree': 'read-tree + checkout-index',
  archive: 'archive | tar',
  sparse: 'sparse worktree',
  worktree: 'worktree add',
  clone: 'fetch --depth 1',
}

/** Directories of random stacks at random commits, ready on the disk for a tool. */
export const b2: Benchmark = {
  id: 'B2',
  title: `${WORKSPACES} (commit, stack) workspaces`,
  aim: `≤ ${AIM}× the CPU of the best of ${WAYS.map((way) => NAMES[way]).join(', ')}`,
  run,
}

type Way = (typeof WAYS)[number]

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const { directory, print } = options
  const many = makeManyStacks(join(directory, 'repositories'))
  const pairs = choosePairs(many)
  const few = writePairs(directory, 'few', pairs.slice(0, TRIED))
  const all = writePairs(directory, 'all', pairs)

  print(`the ways of git, ${TRIED} workspaces each`)
  const tried: { way: Way; ms: number }[] = []
  for (const way of WAYS) {
    const { run: done } = await runContestant(floor(way, many, directory, few))
    const ms = (done.cpuSeconds * 1000) / TRIED
    print(`  ${NAMES[way].padEnd(26)} cpu ${ms.toFixed(1)} ms each`)
    tried.push({ way, ms })
  }
  const best = tried.reduce((a, b) => (b.ms < a.ms ? b : a)).way

  const whole: number[] = []
  const report = await comparePairs(
    trueup(directory, all, (seconds) => whole.push(seconds)),
    floor(best, many, directory, all),
    options,
  )
  const cpuOf = (runs: readonly { cpuSeconds: number }[]): number => spread(runs.map((one) => one.cpuSeconds)).median
  const wholeRatio = spread(whole).median / cpuOf(report.floor)
  print(`with the start of the service, which a server pays once: cpu ${wholeRatio.toFixed(3)}× of the floor`)
  return {
    cpuRatio: round(report.cpu.median, 4),
    wallRatio: round(report.wall.median, 4),
    met: report.cpu.median <= AIM,
    pairs: report.pairs,
    details: {
      floor: NAMES[best],
      msPerWorkspace: round((cpuOf(report.ours) * 1000) / WORKSPACES, 4),
      floorMsPerWorkspace: round((cpuOf(report.floor) * 1000) / WORKSPACES, 4),
      cpuRatioWithStart: round(wholeRatio, 4),
    },
  }
}

function choosePairs({ commits }: ManyStacks): string[] {
  const random = createRandom(2)
  return Array.from(
    { length: WORKSPACES },
    () => `${commits[random.below(commits.length)]} ${stackPath(random.below(STACKS))}`,
  )
}

function writePairs(directory: string, name: string, pairs: readonly string[]): string {
  const file = join(directory, name)
  writeFileSync(file, `${pairs.join('\n')}\n`)
  return file
}

function trueup(directory: string, pairs: string, tellWhole: (cpuSeconds: number) => void): Contestant {
  const program = new URL('./b2/contestant.ts', import.meta.url).pathname
  const target = join(directory, 'target')
  const argv = [process.execPath, program, join(directory, 'repositories'), pairs, target]
  return {
    name: 'trueup',
    argv,
    prepare: () => Promise.resolve(emptyDirectory(target)),
    async measure() {
      const done = await runWindow(argv)
      tellWhole(done.cpuSeconds + done.setUpCpuSeconds)
      return done
    },
    proof: () => Promise.resolve(proofOf(target, pairs)),
  }
}

function floor(way: Way, { gitDirectory }: ManyStacks, directory: string, pairs: string): Contestant {
  const target = join(directory, 'target')
  const program = new URL('./b2/floor.sh', import.meta.url).pathname
  return {
    name: NAMES[way],
    argv: ['bash', program, way, pairs, target],
    env: { GIT_DIR: gitDirectory },
    prepare() {
      emptyDirectory(target)
      rmSync(join(gitDirectory, 'worktrees'), { recursive: true, force: true })
      return Promise.resolve()
    },
    proof: () => Promise.resolve(proofOf(target, pairs)),
  }
}

function emptyDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
}

/** Names, modes and contents of each stack's directory; what a way puts beside it is not asked for. */
function proofOf(target: string, pairs: string): string {
  const hash = createHash('sha256')
  let files = 0
  for (const [number, line] of readFileSync(pairs, 'utf8').trim().split('\n').entries()) {
    const path = join(target, String(number), line.split(' ')[1] ?? '')
    for (const name of readdirSync(path).sort()) {
      const file = join(path, name)
      hash.update(`${number} ${name} ${statSync(file).mode & 0o100}\0`).update(readFileSync(file))
      files++
    }
  }
  return `${files}-${hash.digest('hex')}`
}
