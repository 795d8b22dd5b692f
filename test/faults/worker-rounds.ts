import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AgentProcess, type AgentWorld, startAgentWorld } from '../agents/world.ts'
import { newTally, type Tally } from './tally.ts'
import { Stuck, until } from './wait.ts'

const SETTLE_MS = 300_000
/** Short enough that a lost run is found soon, long enough for a busy machine. */
const LEASE_MS = 5_000
/** In this many milliseconds after an apply may go on it ends and is reported: moments for blows that come late. */
const REPORTING_MS = 400

/** Who is struck: environment → pool. The agent pulls, the runner is pushed to. */
const VICTIMS = { production: 'edge', staging: 'rim' } as const
type Environment = keyof typeof VICTIMS
const ENVIRONMENTS = Object.keys(VICTIMS) as Environment[]

/** What befalls the workers: SIGKILL to both, or a power cut of the disk that has their data and their targets. */
export interface Blow {
  /** Where their data and targets are; beside the server's where absent. */
  place?: string
  strike(workers: readonly AgentProcess[]): Promise<void>
  /** Before they are started again: what is wrong with what is left, or null. */
  recover(): Promise<string | null>
}

export const KILL: Blow = {
  async strike(workers) {
    await Promise.all(workers.map((worker) => worker.kill()))
  },
  recover: async () => null,
}

/**
 * An apply that says when it has begun, waits until it may go on, and knows when another one is at it: what is left in
 * `clash` was done by two at once. What it has written is on the disk when it ends.
 */
const configOf = (target: string, marks: string): string => {
  const [to, mark] = [`${target}/$TRUEUP_ENVIRONMENT`, `${marks}/$TRUEUP_ENVIRONMENT`]
  return JSON.stringify({
    version: 1,
    environments: Object.fromEntries(
      Object.entries(VICTIMS).map(([name, workers]) => [name, { tier: 'development', workers }]),
    ),
    stacks: [
      {
        path: 'web',
        driver: 'command',
        environments: ENVIRONMENTS,
        with: {
          idempotent: true,
          plan: `cmp -s motd ${to}/motd && exit 0; echo changed; exit 2`,
          apply: [
            `exec 9>${mark}.lock; flock -n 9 || echo two >> ${marks}/clash`,
            `: > ${mark}.begun; while test -e ${marks}/hold; do sleep 0.05; done`,
            `mkdir -p ${to}; cp motd ${to}/motd; sync ${to}/motd ${to} ${target}`,
          ].join('\n'),
        },
      },
    ],
  })
}

/**
 * An agent and a runner are struck at the same time, once a round: in mid-apply, and every third round somewhere between the end of
 * the apply and its report. Every second time their tools may go on before they are back. Each time those that come back have to bring
 * the change to its end, by one tool at a time, and the server to know of it; what it was told before is there.
 */
export async function runWorkerRounds(rounds: number, say: (line: string) => void, blow: Blow = KILL): Promise<Tally> {
  const tally = newTally()
  const marks = mkdtempSync(join(tmpdir(), 'trueup-marks-'))
  const place = blow.place === undefined ? {} : { place: blow.place }
  const world = await startAgentWorld({ leaseMs: LEASE_MS, ...place }, (target) => configOf(target, marks))
  try {
    for (const environment of ENVIRONMENTS) mkdirSync(join(world.target, environment), { recursive: true })
    for (let round = 1; round <= rounds; round++) say(await strikeOnce({ world, marks, blow, tally }, round))
  } catch (thrown) {
    tally.stuck.push(thrown instanceof Stuck ? thrown.message : String((thrown as Error).stack))
  } finally {
    await world.close()
    rmSync(marks, { recursive: true, force: true })
  }
  return tally
}

interface Scene {
  world: AgentWorld
  marks: string
  blow: Blow
  tally: Tally
}

async function strikeOnce({ world, marks, blow, tally }: Scene, round: number): Promise<string> {
  const release = `round${round}`
  const hold = join(marks, 'hold')
  const motd = (environment: Environment): string | null => {
    const file = join(world.target, environment, 'motd')
    return existsSync(file) ? readFileSync(file, 'utf8') : null
  }
  const newest = async (environment: Environment) =>
    (await world.runs()).find(({ kind, stack }) => kind === 'deploy' && stack === `${environment}/web`)
  const states = async () => (await Promise.all(ENVIRONMENTS.map(newest))).map((run) => run?.state)
  const begun = (environment: Environment): string => join(marks, `${environment}.begun`)

  const workers = [await world.spawn(), await world.spawnRunner(VICTIMS.staging)]
  writeFileSync(hold, '')
  for (const environment of ENVIRONMENTS) rmSync(begun(environment), { force: true })
  await world.change(release)
  await until(
    `the applies of ${release}`,
    () => ENVIRONMENTS.every((environment) => existsSync(begun(environment))),
    SETTLE_MS,
    async () => JSON.stringify(await states()),
  )
  const isLate = round % 3 === 0
  if (isLate) {
    rmSync(hold)
    await sleep(Math.random() * REPORTING_MS)
  }
  // What is known now was acknowledged before the blow.
  const told = isLate ? await states() : []
  await blow.strike(workers)
  tally.kills++
  if (round % 2 === 0) rmSync(hold, { force: true })
  const complaint = await blow.recover()
  if (complaint !== null) tally.lost.push(`${release}: ${complaint}`)
  for (const [index, environment] of ENVIRONMENTS.entries())
    if (told[index] === 'succeeded' && motd(environment) !== `${release}\n`)
      tally.lost.push(`${release} in ${environment}, which the server was told of`)
  const again = [await world.spawn(), await world.spawnRunner(VICTIMS.staging)]
  rmSync(hold, { force: true })
  // The run that was struck is lost once its lease has ended; the one after it is the end of the matter.
  await until(
    `${release} at its targets, and known to the server`,
    async () =>
      ENVIRONMENTS.every((environment) => motd(environment) === `${release}\n`) &&
      (await states()).every((state) => state === 'succeeded'),
    SETTLE_MS,
    async () =>
      `${ENVIRONMENTS.map(motd).join(', ')}; ${JSON.stringify(await states())}; ${again.map((one) => one.log().slice(-1_500)).join('\n')}`,
  )
  if (existsSync(join(marks, 'clash'))) tally.repeated.push(`${release}: two tools worked on it at once`)
  await KILL.strike(again)
  return `round ${round}: agent and runner: struck ${isLate ? 'after' : 'in'} the apply, ${release} is there`
}
