import { CHANGING_KINDS, PENDING_STATES, describeState } from '../../domain/runs/run.ts'
import { describeTools, hasOneOf, toolsOf, type ToolsFound } from '../../domain/runs/programs.ts'
import type { Queries } from '../../store/database/context.ts'
import { listRuns, getRun, runDependencies, type RunSummary } from '../../store/runs/runs.ts'
import { countHeld } from '../../store/runs/search.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { isInScope, type Worker, workersByIds } from '../../store/workers/workers.ts'
import type { EngineParts } from '../parts.ts'

type Waiting = Pick<
  RunSummary,
  'id' | 'stackId' | 'repositoryId' | 'state' | 'message' | 'ready' | 'notBefore' | 'pool' | 'programs'
>

/**
 * What a queued run waits for, in words: it may be another run, a time or a worker, and nothing on the run itself changes
 * when that does. Null where it is about to begin; the message of a run that has its own or is not queued.
 */
export async function whyWaiting(parts: Pick<EngineParts, 'store' | 'hub'>, run: Waiting): Promise<string | null> {
  const { store } = parts
  if (run.state !== 'queued' || run.message !== null) return run.message
  if (!run.ready) return await whatGoesBefore(store.db, run)
  if (run.notBefore !== null && run.notBefore > store.clock.now())
    return `waits until ${new Date(run.notBefore).toISOString()}`
  return await whatWorkersLack(parts, run)
}

/** Of a large pool only so many workers are asked; where all of these lack something, so may the others. */
const WORKERS_LOOKED_AT = 100

/** Why none of the workers that are connected takes the run. */
async function whatWorkersLack(
  { store: { db }, hub }: Pick<EngineParts, 'store' | 'hub'>,
  run: Waiting,
): Promise<string | null> {
  const pool = `pool "${run.pool}"`
  const serving = hub.serving(run.pool)
  if (serving.length === 0) return `no worker of ${pool} is connected: see \`trueup worker list\``
  const ids = serving.slice(0, WORKERS_LOOKED_AT)
  const { environment } = await requireStack(db, run.stackId)
  const workers = await workersByIds(db, ids)
  const enrolled = workers.filter((worker) => isInScope(worker, { repositoryId: run.repositoryId, environment }))
  if (enrolled.length === 0)
    return `no connected worker of ${pool} is enrolled for this repository and ${environment}: see \`trueup worker list\``
  const able = enrolled.filter(({ info }) => hasOneOf(toolsOf(info), run.programs))
  if (able.length === 0) return `no worker in ${pool} has ${run.programs?.join(' or ')}: ${whatThereIs(enrolled)}`
  if (able.every(({ info }) => info['draining'] === true))
    return `every worker of ${pool} that could take it is drained: \`trueup worker drain --undo\` gives it runs again`
  const slots = able.reduce((sum, { info }) => sum + (Number(info['slots']) || Number.POSITIVE_INFINITY), 0)
  const held = await countHeld(
    db,
    able.map(({ id }) => id),
  )
  return held < slots ? null : `waits for a free slot: all ${slots} of ${pool} are taken`
}

/** `they have helm 3.19.0, ssh 10.0.0`, each program once. */
function whatThereIs(workers: readonly Worker[]): string {
  const all: ToolsFound = Object.assign({}, ...workers.map(({ info }) => toolsOf(info) ?? {}))
  const what = describeTools(all)
  if (workers.length === 1) return `${workers[0]!.name} has ${what || 'none that drivers start'}`
  return `they have ${what || 'none that drivers start'}`
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
