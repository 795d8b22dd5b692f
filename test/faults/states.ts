import { inspect } from './inspect.ts'
import { isAlive, killGroupOf } from './processes.ts'
import type { Tally } from './tally.ts'
import type { Acknowledged } from './acknowledged.ts'
import { settle } from './person.ts'
import { LEDGER_STACKS, type LedgerStack } from './stacks.ts'
import { Stuck, until } from './wait.ts'
import type { World } from './world.ts'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const VICTIMS = ['server', 'runner', 'tool'] as const
export type Victim = (typeof VICTIMS)[number]

/** Where a stack's run is held, and the state that it is in there. */
interface Place {
  stack: string
  hold: string | null
  state: string
}

const LEDGER_PLACES: { [stack in LedgerStack]: Omit<Place, 'stack'> } = {
  // It needs the stack `begin`, which is held.
  queued: { hold: null, state: 'queued' },
  leased: { hold: 'before-preparing', state: 'leased' },
  preparing: { hold: 'before-planning', state: 'preparing' },
  planning: { hold: 'plan', state: 'planning' },
  // Its plan says something else than what was approved.
  awaiting: { hold: null, state: 'awaiting_approval' },
  begin: { hold: 'begin', state: 'applying' },
  middle: { hold: 'middle', state: 'applying' },
  end: { hold: 'end', state: 'applying' },
  verifying: { hold: 'verify', state: 'verifying' },
  // Held at the end of its apply; its report is cut off by a stopped server.
  reported: { hold: 'end', state: 'applying' },
}

function places(world: World): Place[] {
  const ledger = LEDGER_STACKS.map((stack) => ({ stack, ...LEDGER_PLACES[stack] }))
  const files = { stack: 'files', hold: 'reload', state: 'applying' }
  const terraform = { stack: 'terraform', hold: 'middle', state: 'applying' }
  return [...ledger, files, ...(world.terraform === null ? [] : [terraform])]
}

export interface Under {
  world: World
  facts: Acknowledged
  tally: Tally
}

export interface Blow {
  /** Names branch and content. */
  id: string
  victim: Victim
  /** Milliseconds between the kill and the restart; longer than the lease means that workers give up first. */
  downMs: number
  /** The held tools go on before the restart (and finish without anybody who listens) or after it. */
  releaseFirst: boolean
  settleMs: number
}

/**
 * One MR that changes every stack: its runs are brought into every state there is, one per stack, then the victim is
 * killed with SIGKILL under all of them at once. Every run that it hits counts as a kill.
 */
export async function strike({ world, facts, tally }: Under, blow: Blow): Promise<string> {
  const { ledger } = world
  const mr = await world.propose(blow.id)
  const all = places(world)
  for (const { stack, hold } of all) if (hold) ledger.hold(stack, hold)
  ledger.salt('awaiting', `salt of ${blow.id}`)
  await world.approve(mr.number)
  const merged = await world.merge(mr.number)
  facts.merged(mr.number, merged.mergeCommit ?? '')
  await reach(world, mr.number, all)
  await facts.keepAuditHead()
  const comments = facts.writeComments(mr.number)
  await sleep(150)

  const hit = await kill(world, all, blow)
  tally.kills += hit.length
  await comments.stop()
  await ledger.releaseAll()
  await settle(world, { id: blow.id, mr: mr.number, ms: blow.settleMs })
  await inspect(world, facts, tally, { id: blow.id, stacks: [...LEDGER_STACKS, 'files'] })
  return `${blow.victim} killed under ${hit.length} runs (${[...new Set(hit.map(({ state }) => state))].join(', ')})`
}

async function reach(world: World, mr: number, all: readonly Place[]): Promise<void> {
  const missing = async (): Promise<string[]> => {
    const states = new Map((await world.runs(mr)).reverse().map((run) => [run.stack, run.state]))
    return all
      .filter(
        ({ stack, hold, state }) =>
          states.get(`production/${stack}`) !== state || (hold !== null && world.ledger.waiting(stack, hold) === null),
      )
      .map(({ stack, state }) => `${stack} is ${states.get(`production/${stack}`)} and not ${state}`)
  }
  await until(
    'every run is in its state',
    async () => (await missing()).length === 0,
    60_000,
    async () => (await missing()).join('; '),
  )
}

/** Kills, and brings back what has to be brought back. Returns what it hit. */
async function kill(world: World, all: readonly Place[], blow: Blow): Promise<Place[]> {
  switch (blow.victim) {
    case 'tool':
      return killTools(world, all)
    case 'runner':
      return await killRunner(world, all, blow)
    case 'server':
      return await killServer(world, all, blow)
  }
}

function killTools(world: World, all: readonly Place[]): Place[] {
  for (const pid of toolsOf(world, all)) killGroupOf(pid)
  return all.filter(({ hold }) => hold !== null && !hold.startsWith('before-'))
}

async function killRunner(world: World, all: readonly Place[], blow: Blow): Promise<Place[]> {
  const pid = world.server.runnerPid()
  if (pid === null) throw new Stuck('there is no runner to kill')
  await withoutAnswer(world)
  const tools = toolsOf(world, all)
  process.kill(pid, 'SIGKILL')
  world.server.signal('SIGCONT')
  if (blow.releaseFirst) await world.ledger.releaseAll()
  await until('the server starts its runner again', () => ![null, pid].includes(world.server.runnerPid()))
  if (!blow.releaseFirst) await endedInTheirPlaces(world, tools, blow)
  return [...all]
}

/** Pids of the tools that wait somewhere. */
const toolsOf = (world: World, all: readonly Place[]): number[] =>
  all.flatMap(({ stack, hold }) =>
    hold === null || hold.startsWith('before-') ? [] : [world.ledger.waiting(stack, hold)!],
  )

/** Released too early they would finish unseen, and nothing would be left half done. */
async function endedInTheirPlaces(world: World, tools: readonly number[], { id }: Blow): Promise<void> {
  await until('the tools that nobody looks after are ended', () => !tools.some(isAlive))
  const content = `${id}-middle`
  if (!world.ledger.effects('middle').has(content) || world.ledger.committed('middle') === content)
    throw new Stuck('the stack "middle" is not left between its effect and its marker')
}

async function killServer(world: World, all: readonly Place[], blow: Blow): Promise<Place[]> {
  await withoutAnswer(world)
  const tools = toolsOf(world, all)
  await world.server.kill()
  if (blow.releaseFirst) await world.ledger.releaseAll()
  await sleep(blow.downMs)
  // Workers that could not renew for a whole lease have given up.
  if (!blow.releaseFirst && blow.downMs > 0) await endedInTheirPlaces(world, tools, blow)
  await world.restart()
  return [...all]
}

/** Brings the run `reported` to its end while the server is stopped: the result lies in the runner's outbox. */
async function withoutAnswer(world: World): Promise<void> {
  world.server.signal('SIGSTOP')
  const outbox = join(world.options.dataDir, 'runner', 'outbox')
  world.ledger.release('reported', 'end')
  const left = performance.now() + 2_000
  while (!readdirSync(outbox).some((name) => name.endsWith('.json'))) {
    if (performance.now() > left) {
      world.server.signal('SIGCONT')
      throw new Stuck('no result lies in the outbox of the runner')
    }
    await sleep(10)
  }
}
