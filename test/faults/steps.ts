import { setTimeout as sleep } from 'node:timers/promises'
import { MrDetail } from '../../src/server/schemas/merge-requests.ts'
import { inspect } from './inspect.ts'
import type { Moment } from './moments.ts'
import { settle } from './person.ts'
import { launch } from './server.ts'
import { REPOSITORY, type World } from './world.ts'

const LIVES = 6
/** The first lives end in the merge, which comes right after the start; the later ones in the deployment. */
const mostCommits = (life: number): number => (life <= 2 ? 8 : 30)
const LONGEST_LIFE_MS = 12_000
const STACK = 'end'

/**
 * Between the engine's steps (merge marked, branch moved, cursor moved, runs ordered, result recorded, tasks handled): the
 * server lives only for so many commits, again and again, while a merge request is merged and deployed.
 */
export async function killBetweenSteps({ world, facts, tally, id, settleMs }: Moment): Promise<string> {
  const mr = await world.propose(id, { [`stacks/${STACK}/wanted`]: `${id}-${STACK}\n` })
  await world.approve(mr.number)
  await world.server.kill()
  tally.kills += 1
  const merging = mergeAtLast(world, mr.number)
  const ends: string[] = []
  for (let life = 1; life <= LIVES; life++) {
    const at = `${life % 2 === 0 ? 'after' : 'before'} ${1 + Math.floor(Math.random() * mostCommits(life))}`
    const { child, exited } = launch({ ...world.options, killAt: at })
    const lived = await Promise.race([exited.then(() => true), sleep(LONGEST_LIFE_MS, false)])
    if (!lived) child.kill('SIGKILL')
    await exited
    tally.kills += 1
    ends.push(lived ? at : 'idle')
  }
  await world.restart()
  const merged = await merging
  facts.merged(mr.number, merged.mergeCommit ?? '')
  await settle(world, { id, mr: mr.number, ms: settleMs })
  await inspect(world, facts, tally, { id, stacks: [STACK] })
  return `killed ${ends.join(', ')}`
}

/** A person who comes back until it is merged. */
async function mergeAtLast(world: World, number: number): Promise<MrDetail> {
  for (;;) {
    const merged = await world.ada
      .send('POST', `${REPOSITORY}/merge-requests/${number}/merge`, MrDetail, {})
      .catch(() => world.mr(number))
      .catch(() => null)
    if (merged?.state === 'merged') return merged
    await sleep(50)
  }
}
