import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAgentWorld } from '../agents/world.ts'
import { newTally, type Tally } from './tally.ts'
import { Stuck, until } from './wait.ts'

/** How long the server is away; an agent is as patient as a configuration may say, which is half a minute. */
const AWAY_MS = 180_000
const ALONE_S = 30
const SETTLE_MS = 300_000
/** Each drifts once: a stack that drifts again and again would wait longer from heal to heal. */
const STACKS = Array.from({ length: 10 }, (_, at) => `s${at}`)

const configOf = (target: string): string =>
  JSON.stringify({
    version: 1,
    environments: { production: { tier: 'development', workers: 'edge', drift: { mode: 'enforce', interval: '1d' } } },
    stacks: STACKS.map((name) => ({
      // A glob: they come with a merge request.
      path: `${name}*`,
      driver: 'files',
      environments: ['production'],
      with: { target: join(target, name) },
    })),
  })

interface Told {
  at: number
  data: { number: number; outcome: string; at: number; missing?: number }
}

/**
 * The server is gone for three minutes by the clock on the wall, while one stack after the other is changed by hand. The agent heals each
 * before the server is back, and tells of them afterwards in their order, each once and none missing.
 */
export async function runAwayRound(say: (line: string) => void): Promise<Tally> {
  const tally = newTally()
  const world = await startAgentWorld({ alone: ALONE_S }, configOf)
  const page = (name: string): string => join(world.target, name, 'page')
  const holds = (name: string): boolean => existsSync(page(name)) && readFileSync(page(name), 'utf8') === `${name}\n`
  const toldOf = async (): Promise<Told[]> =>
    ((await world.server.request('GET', '/api/v1/audit?action=drift.healed_alone&limit=100')).body as { items: Told[] })
      .items ?? []
  try {
    for (const name of STACKS) mkdirSync(join(world.target, name))
    await world.spawn()
    await world.change('pages', undefined, Object.fromEntries(STACKS.map((name) => [`${name}/page`, `${name}\n`])))
    await until('every stack is deployed', () => STACKS.every(holds), SETTLE_MS)
    await until(
      'the server knows',
      async () =>
        (await world.runs()).filter(({ kind, state }) => kind === 'deploy' && state === 'succeeded').length >=
        STACKS.length,
      SETTLE_MS,
    )
    const began = Date.now()
    await world.server.away(async () => {
      for (const [at, name] of STACKS.entries()) {
        await sleep(Math.max(0, began + (at * AWAY_MS) / STACKS.length - Date.now()))
        writeFileSync(page(name), 'by hand\n')
      }
      await until('each is healed while the server is away', () => STACKS.every(holds), SETTLE_MS)
      await sleep(Math.max(0, began + AWAY_MS - Date.now()))
    })
    tally.kills++
    const minutes = ((Date.now() - began) / 60_000).toFixed(1)
    await until('all reports are there', async () => (await toldOf()).length >= STACKS.length, SETTLE_MS)
    const told = (await toldOf()).toReversed()
    const numbers = told.map(({ data }) => data.number)
    if (numbers.some((number, at) => number !== at + 1) || told.some(({ data }) => data.missing !== undefined))
      tally.lost.push(`reports came as ${numbers.join(', ')}`)
    if (told.length > STACKS.length) tally.repeated.push(`${told.length} reports of ${STACKS.length} heals`)
    if (told.some(({ data }, at) => at > 0 && data.at < told[at - 1]!.data.at))
      tally.lost.push('the order in which they happened')
    say(
      `away: the server was gone for ${minutes} minutes; ${told.length} stacks were healed alone and reported in order`,
    )
  } catch (thrown) {
    tally.stuck.push(thrown instanceof Stuck ? thrown.message : String((thrown as Error).stack))
  } finally {
    await world.close()
  }
  return tally
}
