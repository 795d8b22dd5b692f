/** The rounds themselves; started by namespace.ts, in a mount namespace of its own: `main.ts ROUNDS [ACT,…]`. */
import { isClean, report } from '../tally.ts'
import { runPowerRounds } from './rounds.ts'

const [rounds, only] = process.argv.slice(2)
const tally = await runPowerRounds({
  rounds: Number(rounds),
  only: only?.split(',') ?? null,
  say: (line) => console.log(line),
})
for (const line of report(tally, 'cuts')) console.log(line)
process.exit(isClean(tally) ? 0 : 1)
