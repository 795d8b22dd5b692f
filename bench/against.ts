import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describeSpread, round, spread } from './harness.ts'

/** What another revision gave beside this one, in the same run. */
export interface Against {
  revision: string
  /** Its own ratios to the floor: medians over the rounds. */
  cpuRatio: number | null
  wallRatio: number | null
  /** This tree's ratio divided by the other's, round by round, median: below 1 this tree is cheaper. */
  cpuOfIts: number | null
  wallOfIts: number | null
}

/** The fields of a result line that are compared. */
export interface Ratios {
  id: string
  cpuRatio: number | null
  wallRatio: number | null
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A revision of this repository, checked out beside it. */
export interface OtherTree {
  revision: string
  directory: string
  remove(): void
}

/**
 * Checks REV out into a temporary directory, with the benchmarks of this tree, so that both are measured by the same, and
 * with the packages of this tree, where both want the same ones; otherwise npm installs them from what it has.
 */
export function checkOut(revision: string): OtherTree {
  const git = (...argv: string[]): string => execFileSync('git', argv, { cwd: ROOT, encoding: 'utf8' }).trim()
  const oid = git('rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`)
  const parent = mkdtempSync(join(tmpdir(), 'trueup-against-'))
  const directory = join(parent, 'tree')
  const remove = (): void => {
    rmSync(parent, { recursive: true, force: true })
    git('worktree', 'prune')
  }
  try {
    git('worktree', 'add', '--quiet', '--detach', directory, oid)
    rmSync(join(directory, 'bench'), { recursive: true })
    cpSync(join(ROOT, 'bench'), join(directory, 'bench'), { recursive: true })
    const lockOf = (tree: string): string => readFileSync(join(tree, 'package-lock.json'), 'utf8')
    if (lockOf(directory) === lockOf(ROOT)) symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'))
    else
      execFileSync('npm', ['install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: directory })
    if (existsSync(join(ROOT, '.tools')) && !existsSync(join(directory, '.tools')))
      symlinkSync(join(ROOT, '.tools'), join(directory, '.tools'))
    return { revision: oid.slice(0, 12), directory, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/**
 * Runs one benchmark in both trees, a pair at a time and the first one alternating, each in a process of its own. Gives the
 * last result line of this tree with medians over the rounds, and what the other one gave.
 */
export async function benchAgainst<Result extends Ratios>(
  id: string,
  other: OtherTree,
  { rounds, print }: { rounds: number; print: (line: string) => void },
): Promise<Result & { against: Against }> {
  const ours: Result[] = []
  const theirs: Result[] = []
  for (let at = 0; at < rounds; at++) {
    const sides = [
      { directory: ROOT, results: ours },
      { directory: other.directory, results: theirs },
    ]
    for (const { directory, results } of at % 2 === 0 ? sides : sides.reverse())
      results.push(await runIn(directory, id))
    const [a, b] = [ours.at(-1)!, theirs.at(-1)!]
    print(
      `round ${at + 1}: cpu ${a.cpuRatio} here, ${b.cpuRatio} there; wall ${a.wallRatio} here, ${b.wallRatio} there`,
    )
  }
  const median = (of: (number | null)[]): number | null => {
    const values = of.filter((value) => value !== null)
    return values.length === 0 ? null : round(spread(values).median)
  }
  const quotients = (name: 'cpuRatio' | 'wallRatio'): (number | null)[] =>
    ours.map((one, at) => {
      const [a, b] = [one[name], theirs[at]![name]]
      return a === null || b === null || b === 0 ? null : a / b
    })
  const cpu = quotients('cpuRatio').filter((value) => value !== null)
  if (cpu.length > 0) print(`cpu here / cpu of ${other.revision}: ${describeSpread(spread(cpu))}`)
  return {
    ...ours.at(-1)!,
    cpuRatio: median(ours.map(({ cpuRatio }) => cpuRatio)),
    wallRatio: median(ours.map(({ wallRatio }) => wallRatio)),
    pairs: rounds,
    against: {
      revision: other.revision,
      cpuRatio: median(theirs.map(({ cpuRatio }) => cpuRatio)),
      wallRatio: median(theirs.map(({ wallRatio }) => wallRatio)),
      cpuOfIts: median(quotients('cpuRatio')),
      wallOfIts: median(quotients('wallRatio')),
    },
  }
}

/** The result line of one pair of a benchmark in a tree. */
async function runIn<Result extends Ratios>(directory: string, id: string): Promise<Result> {
  const child = spawn(process.execPath, [join(directory, 'bench/main.ts'), id, '--pairs', '1', '--json'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve))
  const line = output.trim().split('\n').at(-1) ?? ''
  if (code !== 0 || !line.startsWith('{'))
    throw new Error(`${id} in ${directory} ended with ${code}\n${output.slice(-1000)}${errors.slice(-2000)}`)
  return JSON.parse(line) as Result
}
