import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Benchmark,
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
  outcomeOf,
  round,
  spread,
} from './harness.ts'
import { COMMITS, makeManyStacks, type ManyStacks, modulesOf, STACKS, stackPath } from './many-stacks.ts'
import { runWindow } from './window.ts'

const AIM = 0.2

/** Affected stacks of 1,000 commits in a repository of 10,000 stacks, exact, one commit after the other. */
export const b1: Benchmark = {
  id: 'B1',
  title: `affected stacks of ${COMMITS} commits × ${STACKS} stacks`,
  aim: `≤ ${AIM}× the CPU of git diff-tree per commit + prefix match`,
  run,
}

async function run(options: BenchOptions): Promise<BenchOutcome> {
  const { directory, print } = options
  const many = makeManyStacks(join(directory, 'repositories'))
  const commits = join(directory, 'commits')
  const prefixes = join(directory, 'prefixes')
  writeFileSync(commits, `${many.commits.join('\n')}\n`)
  writeFileSync(prefixes, prefixLines())

  const setUps: number[] = []
  const ours = trueup(directory, commits, (seconds) => setUps.push(seconds))
  print('against one git diff-tree per commit, as a webhook handler runs it')
  const spawned = await comparePairs(ours, floor('spawn', many, { directory, commits, prefixes }), options)
  print('against one git diff-tree --stdin for all commits, which must know them all beforehand')
  const fewer = { ...options, pairs: Math.max(1, Math.ceil(options.pairs / 3)) }
  const streamed = await comparePairs(ours, floor('stream', many, { directory, commits, prefixes }), fewer)
  const setUp = spread(setUps).median
  print(`not in the ratio: start and first snapshot of ${STACKS} stacks, cpu ${setUp.toFixed(2)} s (median)`)

  return outcomeOf(spawned, spawned.cpu.median <= AIM, {
    streamCpuRatio: round(streamed.cpu.median),
    streamWallRatio: round(streamed.wall.median),
    msPerCommit: round((spread(spawned.ours.map((one) => one.cpuSeconds)).median * 1000) / COMMITS),
    firstSnapshotCpuSeconds: round(setUp),
  })
}

function trueup(directory: string, commits: string, tellSetUp: (cpuSeconds: number) => void): Contestant {
  const answer = join(directory, 'answer-ours')
  const program = new URL('./b1/contestant.ts', import.meta.url).pathname
  const argv = [process.execPath, program, join(directory, 'repositories'), commits, answer]
  return {
    name: 'trueup',
    argv,
    async measure() {
      const done = await runWindow(argv)
      tellSetUp(done.setUpCpuSeconds)
      return done
    },
    proof: () => Promise.resolve(proofOf(answer)),
  }
}

/** Gets the map from modules to stacks for nothing, where we read it from the code. */
function floor(
  mode: 'spawn' | 'stream',
  { gitDirectory }: ManyStacks,
  { directory, commits, prefixes }: { directory: string; commits: string; prefixes: string },
): Contestant {
  const answer = join(directory, `answer-${mode}`)
  const program = new URL('./b1/floor.sh', import.meta.url).pathname
  return {
    name: mode === 'spawn' ? 'git diff-tree per commit' : 'git diff-tree --stdin',
    argv: ['bash', program, mode, commits, prefixes, answer],
    env: { GIT_DIR: gitDirectory },
    proof: () => Promise.resolve(proofOf(answer)),
  }
}

function prefixLines(): string {
  const lines: string[] = []
  for (let stack = 0; stack < STACKS; stack++) {
    for (const path of [stackPath(stack), ...modulesOf(stack)]) lines.push(`${path} ${stackPath(stack)}`)
  }
  return `${lines.join('\n')}\n`
}

/** Hash of the affected set of every commit, whatever the order within one. */
function proofOf(answer: string): string {
  const lines = readFileSync(answer, 'utf8').trim().split('\n').sort()
  return `${lines.length}-${createHash('sha256').update(lines.join('\n')).digest('hex')}`
}
