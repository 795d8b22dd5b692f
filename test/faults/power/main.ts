/** The rounds themselves; started by namespace.ts, in a mount namespace of its own: `main.ts ROUNDS [ACT,…|workers]`. */
import { isClean, report } from '../tally.ts'
import { runPowerRounds } from './rounds.ts'
import { runWorkerCuts } from './worker-cuts.ts'

const [rounds, only] = process.argv.slice(2)
const say = (line: string): void => console.log(line)
const tally =
  only === 'workers'
    ? await runWorkerCuts(Number(rounds), say)
    : await runPowerRounds({ rounds: Number(rounds), only: only?.split(',') ?? null, say })
for (const line of report(tally, 'cuts')) console.log(line)
process.exit(isClean(tally) ? 0 : 1)
