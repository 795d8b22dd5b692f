import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type AgentProcess, startAgentWorld } from '../agents/world.ts'
import { newTally, type Tally } from './tally.ts'
import { Stuck, until } from './wait.ts'

const SETTLE_MS = 300_000

/**
 * An apply that says when it has begun, waits until it may go on, and knows when another one is at it: what is left in
 * `clash` was done by two at once.
 */
const configOf = (target: string): string =>
  JSON.stringify({
    version: 1,
    environments: { production: { tier: 'development', workers: 'edge' } },
    stacks: [
      {
        path: 'web',
        driver: 'command',
        environments: ['production'],
        with: {
          idempotent: true,
          plan: `cmp -s motd ${target}/motd && exit 0; echo changed; exit 2`,
          apply: [
            `exec 9>${target}/lock; flock -n 9 || echo two >> ${target}/clash`,
            `: > ${target}/begun; while test -e ${target}/hold; do sleep 0.05; done; cp motd ${target}/motd`,
          ].join('\n'),
        },
      },
    ],
  })

/**
 * SIGKILL to an agent in mid-apply, once a round; every second time its tool goes on before the agent is back. Each time
 * the agent that comes back has to bring the change to its end, by one tool at a time, and the server to know of it.
 */
export async function runAgentRounds(rounds: number, say: (line: string) => void): Promise<Tally> {
  const tally = newTally()
  const world = await startAgentWorld({}, configOf)
  const at = (name: string): string => join(world.target, name)
  const motd = (): string | null => (existsSync(at('motd')) ? readFileSync(at('motd'), 'utf8') : null)
  try {
    let agent: AgentProcess = await world.spawn()
    for (let round = 1; round <= rounds; round++) {
      const release = `round${round}`
      writeFileSync(at('hold'), '')
      rmSync(at('begun'), { force: true })
      await world.change(release)
      await until(`the apply of ${release}`, async () => existsSync(at('begun')), SETTLE_MS)
      await agent.kill()
      tally.kills++
      if (round % 2 === 0) rmSync(at('hold'))
      agent = await world.spawn()
      rmSync(at('hold'), { force: true })
      await until(
        `${release} at its target`,
        async () => motd() === `${release}\n`,
        SETTLE_MS,
        async () => `${motd()}`,
      )
      // The run that was killed is lost once its lease has ended; the one after it is the end of the matter.
      const newest = async () => (await world.runs()).find(({ kind }) => kind === 'deploy')?.state
      const told = async () => (await newest()) === 'succeeded'
      await until(`the end of ${release} at the server`, told, SETTLE_MS, async () => `${await newest()}`)
      if (existsSync(at('clash'))) tally.repeated.push(`${release}: two tools worked on it at once`)
      say(`round ${round}: agent: killed in mid-apply, ${release} is there`)
    }
  } catch (thrown) {
    tally.stuck.push(thrown instanceof Stuck ? thrown.message : String((thrown as Error).stack))
  } finally {
    await world.close()
  }
  return tally
}
