import { completePlan } from '../../domain/plans/complete.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { asTrueupError, type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import { desiredState, orderFor } from './orders.ts'
import { assertGoing, type Pipeline } from './pipeline.ts'
import type { StackRecord } from './state.ts'

export interface DriftedStack {
  /** environment/name */
  stack: string
  state: 'in_sync' | 'drifted' | 'skipped' | 'failed'
  /** Commit that is deployed. */
  commit: string | null
  plan?: Plan
  error?: ErrorBody
  why?: string
}

export interface DriftReport {
  stacks: DriftedStack[]
}

/** Exit code of `trueup ci drift`. */
export const exitOfDrift = ({ stacks }: DriftReport): 0 | 1 | 2 =>
  stacks.some(({ state }) => state === 'failed') ? 1 : stacks.some(({ state }) => state === 'drifted') ? 2 : 0

/** Holds reality against what was deployed, stack by stack. */
export async function driftPipeline(pipeline: Pipeline): Promise<DriftReport> {
  const records = await pipeline.state.look()
  const stacks: DriftedStack[] = []
  for (const [, record] of [...records].sort(([a], [b]) => (a < b ? -1 : 1))) {
    stacks.push(await look(pipeline, record, records))
    assertGoing(pipeline, 'looking for drift')
  }
  return { stacks }
}

async function look(
  pipeline: Pipeline,
  { stack, deployed, lease, broken }: StackRecord,
  records: ReadonlyMap<string, StackRecord>,
): Promise<DriftedStack> {
  const { trees, state, hash, secrets, bench, surroundings, say } = pipeline
  const commit = deployed?.commit ?? null
  const skipped = (why: string): DriftedStack => ({ stack, state: 'skipped', commit, why })
  if (lease) return skipped('a pipeline is at it')
  if (broken) return skipped('an apply broke it half-way: what it should be is for a deployment to say')
  if (!deployed) return skipped('it is not deployed')
  try {
    const source = (await trees.read(deployed.commit)).stacks.get(stack)
    if (!source)
      throw new TrueupError('NOT_FOUND', { doing: `reading ${stack}`, why: `it is not in ${deployed.commit}` })
    const desired = await desiredState(
      source,
      (other) => {
        const its = records.get(other)?.deployed
        return its ? state.outputsOf(its) : null
      },
      { hash },
    )
    // Its inputs are others by now: the difference would be a pending change.
    if (desired.digest !== deployed.digest) return skipped('what it takes from others has changed and is not deployed')
    say(`looking at ${stack}`)
    const { definition } = source
    const { ignore, unstable } = definition
    let plan: Plan | undefined
    const { finish } = await bench.execute({
      grant: orderFor({
        kind: 'drift',
        repository: surroundings.repository,
        commit: deployed.commit,
        source,
        desired,
        deployedDiffers: false,
        hash,
        secrets,
      }),
      definition,
      onLine: (line) => say(`${stack} | ${line}`),
      async decide({ plan: found }) {
        plan = completePlan(found, { desiredDigest: desired.digest, ignore, unstable, cause: 'drift' })
        return { action: 'stop', reason: 'looked' }
      },
    })
    if (finish?.error) return { stack, state: 'failed', commit, error: finish.error as ErrorBody }
    if (!plan) throw new TrueupError('CANCELED', { doing: `looking at ${stack}`, why: 'it was stopped' })
    const unseen = plan.coverage.unchecked.find(({ unreachable, failed }) => unreachable || failed)
    if (plan.changes.length > 0) return { stack, state: 'drifted', commit, plan }
    if (unseen) return { stack, state: 'failed', commit, plan, why: `${unseen.address}: ${unseen.why}` }
    return { stack, state: 'in_sync', commit, plan }
  } catch (thrown) {
    return { stack, state: 'failed', commit, error: asTrueupError(thrown, `looking at ${stack}`).toJSON() }
  }
}
