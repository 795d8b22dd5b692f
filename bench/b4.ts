import { join } from 'node:path'
import type { MrDetail } from '../src/server/schemas/merge-requests.ts'
import { proofOfCheckout, proofOfMr } from './floor-plans.ts'
import {
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
  describeSpread,
  outcomeOf,
  round,
  spread,
} from './harness.ts'
import { type MrBench, mrBenchmark } from './mr-benchmark.ts'
import {
  type Measured,
  type MrWorld,
  refreshFloorCheckout,
  stackCode,
  stackDirectory,
  stackNumbers,
  STACKS,
} from './mr-world.ts'

const AIM_MS = 50
const BRANCH = 'change'
const CHANGED = 7

/** What a push to an open merge request costs until all its plans are valid again, when little or nothing has to be planned. */
export const b4 = mrBenchmark(
  {
    id: 'B4',
    title: `a push to a merge request of ${STACKS} planned stacks: README only, one stack, a rebase with the same trees`,
    aim: `README and rebase ≤ ${AIM_MS} ms CPU and no new plan; one stack is planned anew, and only that`,
  },
  run,
)

async function run({ world, checkout, terraform }: MrBench, options: BenchOptions): Promise<BenchOutcome> {
  const { print } = options
  let mr = await openRequest(world)
  const irrelevant = async (what: string, change: (number: number) => void, ...push: string[]): Promise<number[]> => {
    const costs: number[] = []
    // The first warms the server up.
    for (let number = 0; number <= options.pairs; number++) {
      change(number)
      const done = await world.pushAndWait(BRANCH, ...push)
      expectPlanned(mr, done.mr, [])
      mr = done.mr
      if (number > 0) costs.push(done.serverCpuSeconds * 1000)
    }
    print(`${what}: server cpu ${describeSpread(spread(costs), 1)} ms, all ${STACKS} plans kept`)
    return costs
  }
  const readme = await irrelevant('(i) README', (number) => {
    world.write('README.md', `# bench ${number}\n`)
    world.commit(`Describe ${number}`)
  })
  const rebase = await irrelevant(
    '(iii) rebase with the same trees',
    (number) => world.git('commit', '--quiet', '--amend', '--message', `Reworded ${number}`),
    '--force',
  )
  const bare = await barePush(world, options)
  print(`of this, the same pushes into a bare repository without Trueup: cpu ${describeSpread(spread(bare), 1)} ms`)

  print(`(ii) one of ${STACKS} stacks, against terraform init && plan of this one`)
  const one = await comparePairs(trueup(world, mr), floor(checkout, terraform), options)
  const worst = Math.max(spread(readme).median, spread(rebase).median)
  return outcomeOf(one, worst <= AIM_MS, {
    readmeCpuMs: round(spread(readme).median),
    rebaseCpuMs: round(spread(rebase).median),
    barePushCpuMs: round(spread(bare).median),
    oneStackCpuMs: round(spread(one.ours.map((each) => each.cpuSeconds)).median * 1000),
  })
}

async function openRequest(world: MrWorld): Promise<MrDetail> {
  world.git('switch', '--quiet', '--create', BRANCH, 'origin/main')
  for (const stack of stackNumbers) world.write(`${stackDirectory(stack)}/main.tf`, stackCode(`v-${stack}`))
  world.commit('Change all')
  const { mr } = await world.pushAndWait(BRANCH, '--push-option', 'mr')
  if (mr.stacks.length !== STACKS) throw new Error(`${mr.stacks.length} stacks are affected, not ${STACKS}`)
  return mr
}

/** The gate of this benchmark: exactly these stacks have another plan than before, every other has the very same. */
function expectPlanned(before: MrDetail, after: MrDetail, stacks: readonly number[]): void {
  const known = new Map(before.stacks.map(({ stack, run }) => [stack, run]))
  const anew = after.stacks.filter(({ stack, run }) => known.get(stack) !== run).map(({ stack }) => stack)
  const wanted = stacks.map((stack) => `development/${stackDirectory(stack)}`)
  const allValid =
    after.stacks.length === STACKS &&
    after.stacks.every(({ state, digest }) => state === 'succeeded' && digest !== null)
  if (allValid && JSON.stringify(anew.sort()) === JSON.stringify(wanted.sort())) return
  throw new Error(`planned anew: ${anew.join(', ') || 'nothing'}; expected: ${wanted.join(', ') || 'nothing'}`)
}

function trueup(world: MrWorld, start: MrDetail): Contestant {
  let runs = 0
  let before = start
  let latest: Measured | null = null
  return {
    name: 'trueup',
    argv: [],
    prepare() {
      runs++
      world.write(`${stackDirectory(CHANGED)}/main.tf`, stackCode(`once more ${runs}`))
      world.commit(`Change one ${runs}`)
      return Promise.resolve()
    },
    async measure() {
      const done = await world.pushAndWait(BRANCH, '--force')
      latest = done
      const cpuSeconds = done.serverCpuSeconds + done.pushCpuSeconds
      return { exitCode: 0, stdout: '', stderr: '', wallSeconds: done.wallSeconds, cpuSeconds }
    },
    async proof() {
      if (latest === null) return 'nothing was planned'
      expectPlanned(before, latest.mr, [CHANGED])
      before = latest.mr
      return proofOfMr(world.server, latest.mr, (name) => name === stackDirectory(CHANGED))
    },
  }
}

function floor(checkout: string, terraform: string): Contestant {
  let runs = 0
  const script = `"${terraform}" init -input=false >/dev/null && "${terraform}" plan -input=false -out=plan >/dev/null`
  return {
    name: 'terraform init && plan',
    argv: ['bash', '-c', script],
    cwd: join(checkout, stackDirectory(CHANGED)),
    prepare() {
      runs++
      refreshFloorCheckout(checkout, () => `once more ${runs}`)
      return Promise.resolve()
    },
    proof: () => Promise.resolve(proofOfCheckout(checkout, terraform, [CHANGED])),
  }
}

/** What git itself takes to receive such a push: both ends, through a pipe and without HTTP. Milliseconds of CPU. */
async function barePush(world: MrWorld, options: BenchOptions): Promise<number[]> {
  const bare = join(options.directory, 'bare.git')
  world.git('clone', '--quiet', '--bare', world.clone, bare)
  const costs: number[] = []
  for (let number = 0; number < options.pairs; number++) {
    world.git('commit', '--quiet', '--amend', '--message', `Bare ${number}`)
    costs.push((await world.timedPush(bare, BRANCH, '--force')) * 1000)
  }
  return costs
}
