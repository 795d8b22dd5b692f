/**
 * `npm run faults -- --rounds N`: kill -9 of server, runner and tool at every state of a run, and in the middle of what
 * else must not be half done; of agents and runners in mid-apply; with `--only workers` or `away` a server that is gone for three minutes. The last line is `faults: N kills, N lost, N repeated, N stuck`; exit code 1 when any of the
 * three is not 0. With `--power` it is the power of the disk that is cut, instead: see power/rounds.ts. `--only workers` does both to
 * workers.
 */
import { parseArgs } from 'node:util'
import { inNamespace, whyNoPower } from './power/namespace.ts'
import { runRounds } from './rounds.ts'
import { addTo, isClean, newTally, report } from './tally.ts'
import { runAwayRound } from './away-rounds.ts'
import { runWorkerRounds } from './worker-rounds.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    only: { type: 'string' },
    power: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    'no-terraform': { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('npm run faults -- [--power] [--rounds N] [--only states,push,…] [--no-terraform] [--keep]')
  process.exit(2)
}
if (values.power) {
  const missing = whyNoPower()
  if (missing !== null) {
    console.log(`faults: power cuts skipped: they need ${missing}`)
    process.exit(0)
  }
  const argv = [String(rounds), ...(values.only === undefined ? [] : [values.only])]
  process.exit((await inNamespace(argv, (line) => console.log(line))) ?? 1)
}
/** Everything that befalls workers: runners, their tools, agents; and the cuts of their disk. */
const WORKERS = ['states-runner', 'states-tool', 'zombie', 'agent', 'away', 'cuts']
const only = values.only?.split(',').flatMap((name) => (name === 'workers' ? WORKERS : [name])) ?? null
const say = (line: string): void => console.log(line)
const tally = newTally()
let cutsFailed = false
if (only?.includes('cuts')) {
  const missing = whyNoPower()
  if (missing === null) cutsFailed = (await inNamespace([String(rounds), 'workers'], say)) !== 0
  else say(`power cuts of workers skipped: they need ${missing}`)
}
const others = only?.filter((name) => !['agent', 'away', 'cuts'].includes(name))
if (others === undefined || others.length > 0) {
  const { keep, 'no-terraform': noTerraform } = values
  addTo(tally, await runRounds({ rounds, keep, terraform: !noTerraform, only: others ?? null, say }))
}
if (only === null || only.includes('agent')) addTo(tally, await runWorkerRounds(rounds, say))
if (only?.includes('away')) addTo(tally, await runAwayRound(say))
for (const line of report(tally)) console.log(line)
process.exit(isClean(tally) && !cutsFailed ? 0 : 1)
