import { CHANGING_KINDS, PENDING_STATES, describeState } from '../../domain/runs/run.ts'
import type { Queries } from '../../store/database/context.ts'
import { listRuns, getRun, runDependencies, type RunSummary } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import type { EngineParts } from '../parts.ts'

type Waiting = Pick<RunSummary, 'id' | 'stackId' | 'state' | 'message' | 'ready' | 'notBefore' | 'pool'>

/**
 * What a queued run waits for, in words: it may be another run, a time or a worker, and nothing on the run itself changes
 * when that does. Null where it is about to begin; the message of a run that has its own or is not queued.
 */
export async function whyWaiting(
  { store, hub }: Pick<EngineParts, 'store' | 'hub'>,
  run: Waiting,
): Promise<string | null> {
  if (run.state !== 'queued' || run.message !== null) return run.message
  if (!run.ready) return await whatGoesBefore(store.db, run)
  if (run.notBefore !== null && run.notBefore > store.clock.now())
    return `waits until ${new Date(run.notBefore).toISOString()}`
  const served = hub.connected().some(({ pools }) => pools.includes(run.pool))
  return served ? null : `no worker of pool "${run.pool}" is connected: see \`trueup worker list\``
}

async function whatGoesBefore(db: Queries, run: Waiting): Promise<string | null> {
  for (const id of (await runDependencies(db, run.id)).dependsOn) {
    const upstream = await getRun(db, id)
    if (!upstream || upstream.state === 'succeeded') continue
    const { environment, name } = await requireStack(db, upstream.stackId)
    return `waits for ${environment}/${name}: run ${id} is ${describeState(upstream.state, upstream.reason)}`
  }
  const { items } = await listRuns(
    db,
    { stackId: run.stackId, kinds: CHANGING_KINDS, states: PENDING_STATES },
    { limit: 100 },
  )
  const others = items.filter((other) => other.id !== run.id)
  const before = others.find((other) => other.leaseUntil !== null) ?? others.at(-1)
  return before ? `waits for run ${before.id} of the same stack: ${describeState(before.state, before.reason)}` : null
}
