import { proofOfCheckout, proofOfMr } from './floor-plans.ts'
import {
  type BenchOptions,
  type BenchOutcome,
  comparePairs,
  type Contestant,
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

const AIM = 1.5

/** From the push of a branch that touches 50 stacks until all its plans are stored and shown on the merge request. */
export const b3 = mrBenchmark(
  {
    id: 'B3',
    title: `a merge request that touches ${STACKS} Terraform stacks → all plans on it (variant a: terraform_data)`,
    aim: `≤ ${AIM}× the CPU of xargs -P2 terraform init && plan`,
  },
  run,
)

async function run({ world, checkout, terraform }: MrBench, options: BenchOptions): Promise<BenchOutcome> {
  const { print } = options
  const measured: Measured[] = []
  const report = await comparePairs(trueup(world, measured), floor(checkout, terraform), options)
  // The first is the warm-up.
  const last = measured.slice(-options.pairs)
  const push = spread(last.map((one) => one.pushCpuSeconds)).median
  print(`of ours, git push on the pusher's side: cpu ${push.toFixed(3)} s (median)`)
  return outcomeOf(report, report.cpu.median <= AIM, {
    msPerStack: round((spread(report.ours.map((one) => one.cpuSeconds)).median * 1000) / STACKS),
    floorMsPerStack: round((spread(report.floor.map((one) => one.cpuSeconds)).median * 1000) / STACKS),
  })
}

/** A new branch and merge request each time. The value follows from the pair, so that both sides plan the same. */
function trueup(world: MrWorld, all: Measured[]): Contestant {
  let runs = 0
  let latest: Measured | null = null
  return {
    name: 'trueup',
    argv: [],
    prepare() {
      runs++
      world.git('switch', '--quiet', '--detach', 'origin/main')
      for (const stack of stackNumbers) world.write(`${stackDirectory(stack)}/main.tf`, stackCode(`v${runs}-${stack}`))
      world.commit(`Change ${runs}`)
      return Promise.resolve()
    },
    async measure() {
      const done = await world.pushAndWait(`change-${runs}`, '--push-option', 'mr')
      latest = done
      all.push(done)
      const cpuSeconds = done.serverCpuSeconds + done.pushCpuSeconds
      return { exitCode: 0, stdout: '', stderr: '', wallSeconds: done.wallSeconds, cpuSeconds }
    },
    async proof() {
      if (latest === null) return 'nothing was planned'
      const proof = await proofOfMr(world.server, latest.mr)
      await world.close(latest.mr)
      return proof
    },
  }
}

/** Gets its checkout for nothing: only the tool's own work is measured. `-out`, because a plan that is not kept cannot be applied. */
function floor(checkout: string, terraform: string): Contestant {
  let runs = 0
  const init = `"${terraform}" init -input=false >/dev/null && "${terraform}" plan -input=false -out=plan >/dev/null`
  return {
    name: 'xargs -P2 terraform',
    argv: ['bash', '-c', `printf '%s\\n' stacks/* | xargs -P2 -I{} sh -c 'cd {} && ${init}'`],
    cwd: checkout,
    prepare() {
      runs++
      refreshFloorCheckout(checkout, (stack) => `v${runs}-${stack}`)
      return Promise.resolve()
    },
    proof: () => Promise.resolve(proofOfCheckout(checkout, terraform, stackNumbers)),
  }
}
