import { z } from 'zod'
import { TrueupError } from '../../src/lib/errors/error.ts'
import type { RunSummary } from '../../src/server/schemas/plans.ts'
import { LEDGER_STACKS } from './stacks.ts'
import { until } from './wait.ts'
import type { World } from './world.ts'

export interface Settling {
  id: string
  mr: number
  ms: number
}

/**
 * Lets things go on, and does what only a person may, the way a person does it: looks at the target of a run that waits
 * or has failed, sets the marker where the effect is there already, and approves or retries. Resolves when every stack
 * has what Git says; throws `Stuck` when that does not come about.
 */
export async function settle(world: World, { id, mr, ms }: Settling): Promise<void> {
  const seen = new Set<string>()
  const round = async (): Promise<boolean> => {
    const runs = await world.runs(mr)
    for (const run of newestPerStack(runs)) {
      if (seen.has(`${run.id} ${run.state} ${run.planDigest}`)) continue
      if (run.state !== 'awaiting_approval' && run.state !== 'failed' && run.state !== 'canceled') continue
      if (await act(world, run, id)) seen.add(`${run.id} ${run.state} ${run.planDigest}`)
    }
    const stacks = await world.stacks()
    const unfinished = runs.some((run) => run.finishedAt === null)
    // Right after the merge nothing has been ordered yet.
    return runs.length > 0 && !unfinished && stacks.every((stack) => isInOrder(stack) && isDeployed(stack))
  }
  const patiently = async (): Promise<boolean> => {
    try {
      return await round()
    } catch (thrown) {
      // The server may be down in the middle of a question; what it says then is no answer.
      if (thrown instanceof TrueupError && thrown.retryable) return false
      throw thrown
    }
  }
  await until(`every stack has what ${id} says`, patiently, ms, () => describe(world, mr))
}

type Stack = Awaited<ReturnType<World['stacks']>>[number]

/** The provisioner of the Terraform stack is what nobody can look at. */
const isInOrder = ({ state }: Stack): boolean => state === 'in_sync' || state === 'partly_checked'

const isDeployed = (stack: Stack): boolean => stack.deployed.commit !== null && stack.brokenBy === null

function newestPerStack(runs: readonly RunSummary[]): RunSummary[] {
  const newest = new Map<string, RunSummary>()
  for (const run of runs) if (!newest.has(run.stack)) newest.set(run.stack, run)
  return [...newest.values()]
}

async function act(world: World, run: RunSummary, id: string): Promise<boolean> {
  const name = run.stack.slice(run.stack.indexOf('/') + 1)
  const content = `${id}-${name}`
  const isLedger = (LEDGER_STACKS as readonly string[]).includes(name)
  if (isLedger && world.ledger.effects(name).has(content) && world.ledger.committed(name) !== content)
    world.ledger.mend(name, content)
  try {
    if (run.state === 'awaiting_approval')
      await world.bob.send('POST', `/api/v1/runs/${run.id}/approve`, z.unknown(), { digest: run.planDigest })
    else await world.ada.send('POST', `/api/v1/runs/${run.id}/retry`, z.unknown())
    return true
  } catch (thrown) {
    // It has moved on between the look and the word.
    if (thrown instanceof TrueupError && ['CONFLICT', 'PLAN_CHANGED'].includes(thrown.code)) return false
    throw thrown
  }
}

async function describe(world: World, mr: number): Promise<string> {
  const runs = newestPerStack(await world.runs(mr)).filter(({ state }) => state !== 'succeeded')
  const stacks = (await world.stacks()).filter((stack) => !isInOrder(stack) || !isDeployed(stack))
  return [
    ...runs.map((run) => `${run.stack}: ${run.kind} ${run.state} (${run.reason ?? ''}) ${run.message ?? ''}`),
    ...stacks.map(
      (stack) =>
        `${stack.environment}/${stack.name} is ${stack.state}: ${stack.stateReason ?? ''} ${stack.brokenBy ?? ''}`,
    ),
  ].join('; ')
}
