import { createAcknowledged } from './acknowledged.ts'
import { settle } from './person.ts'
import {
  killGitProcess,
  killInBackup,
  killInHeal,
  killInMerge,
  killInPush,
  killInStart,
  type Moment,
  wakeZombie,
} from './moments.ts'
import { healStack } from './stacks.ts'
import { type Blow, strike, type Victim, VICTIMS } from './states.ts'
import { killBetweenSteps } from './steps.ts'
import { newTally, type Tally } from './tally.ts'
import { Stuck } from './wait.ts'
import { createWorld, findTerraform, type World } from './world.ts'

export interface RoundOptions {
  rounds: number
  keep: boolean
  terraform: boolean
  /** Names of the parts to run; all where null. */
  only: string[] | null
  say: (line: string) => void
}

const LEASE_MS = 3_000
const SETTLE_MS = 90_000

interface Part {
  name: string
  run(moment: Moment, round: number): Promise<string>
}

/** Down for longer than the lease every third round; the held tools go on before the restart every second one. */
const blowOf = (moment: Moment, victim: Victim, round: number): Blow => ({
  id: moment.id,
  victim,
  downMs: round % 3 === 0 ? LEASE_MS + 500 : 0,
  releaseFirst: round % 2 === 0,
  settleMs: moment.settleMs,
})

const PARTS: Part[] = [
  ...VICTIMS.map((victim) => ({
    name: `states-${victim}`,
    run: (moment: Moment, round: number) => strike(moment, blowOf(moment, victim, round)),
  })),
  { name: 'push', run: killInPush },
  { name: 'merge', run: killInMerge },
  { name: 'backup', run: killInBackup },
  { name: 'start', run: killInStart },
  { name: 'heal', run: (moment, round) => killInHeal(moment, healStack(round), round % 2 === 0 ? 'runner' : 'server') },
  { name: 'zombie', run: wakeZombie },
  { name: 'git', run: killGitProcess },
  { name: 'steps', run: killBetweenSteps },
]

export async function runRounds({ rounds, keep, terraform, only, say }: RoundOptions): Promise<Tally> {
  const tally = newTally()
  const began = performance.now()
  const tell = (line: string): void => say(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${line}`)
  const tool = terraform ? await findTerraform() : null
  const world = await createWorld({ lease: `${LEASE_MS}ms`, keep, terraform: tool, heals: rounds })
  tell(`server at ${world.server.url}, ${tool ?? 'no terraform'}, data in ${world.directory}`)
  const facts = createAcknowledged(world)
  const parts = PARTS.filter(({ name }) => !only || only.some((wanted) => name.startsWith(wanted)))
  try {
    await first(world)
    tell('first deployment done')
    for (let round = 1; round <= rounds; round++) {
      const done = (part: string, said: string): void => tell(`round ${round}: ${part}: ${said}`)
      for (const part of parts)
        done(
          part.name,
          await part.run({ world, facts, tally, id: `r${round}-${part.name}`, settleMs: SETTLE_MS }, round),
        )
    }
  } catch (thrown) {
    // What comes after would only tell of the same thing. An answer that nobody expected stands in the way like silence.
    tally.stuck.push(thrown instanceof Stuck ? thrown.message : String((thrown as Error).stack))
  } finally {
    await world.close()
  }
  return tally
}

async function first(world: World): Promise<void> {
  await world.copy.git('fetch', '--quiet', 'origin')
  const mr = await world.propose('begin')
  await world.approve(mr.number)
  await world.merge(mr.number)
  await settle(world, { id: 'begin', mr: mr.number, ms: SETTLE_MS })
}
