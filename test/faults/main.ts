/**
 * `npm run faults -- --rounds N`: kill -9 of server, runner and tool at every state of a run, and in the middle of what
 * else must not be half done. The last line is `faults: N kills, N lost, N repeated, N stuck`; exit code 1 when any of the
 * three is not 0.
 */
import { parseArgs } from 'node:util'
import { runRounds } from './rounds.ts'
import { isClean, verdict } from './tally.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    only: { type: 'string' },
    keep: { type: 'boolean', default: false },
    'no-terraform': { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('npm run faults -- [--rounds N] [--only states,push,…] [--no-terraform] [--keep]')
  process.exit(2)
}
const tally = await runRounds({
  rounds,
  keep: values.keep,
  terraform: !values['no-terraform'],
  only: values.only?.split(',') ?? null,
  say: (line) => console.log(line),
})
for (const kind of ['lost', 'repeated', 'stuck'] as const)
  for (const what of tally[kind]) console.log(`${kind.toUpperCase()}: ${what}`)
console.log(verdict(tally))
process.exit(isClean(tally) ? 0 : 1)
