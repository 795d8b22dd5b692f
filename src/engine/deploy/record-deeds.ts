import { type Deed, deedsOf, tellsOrigin } from '../../domain/origins/deeds.ts'
import type { AppliedResource, Plan } from '../../domain/plans/plan.ts'
import type { Queries } from '../../store/database/context.ts'
import type { Run } from '../../store/runs/runs.ts'
import { deedsAt, deedsOfRun, recordDeeds } from '../../store/stacks/deeds.ts'

/**
 * Writes down what a run has done to which resource, once. `resources` null: the worker was lost while it was applying, and
 * nobody knows.
 */
export async function recordDeedsOf(
  tx: Queries,
  run: Run,
  resources: readonly AppliedResource[] | null,
): Promise<void> {
  const plan = run.plan as Plan | null
  if (plan === null || (await deedsOfRun(tx, run.id)).length > 0) return
  const deeds = deedsOf(plan, resources)
  const known = await knownAmong(tx, run.stackId, deeds)
  await recordDeeds(
    tx,
    run,
    deeds.filter(({ did, address }) => did !== 'found' || !known.has(address)),
  )
}

/** Of what was only changed, addresses whose origin is on record already. */
async function knownAmong(tx: Queries, stackId: string, deeds: readonly Deed[]): Promise<ReadonlySet<string>> {
  const changed = deeds.filter(({ did }) => did === 'found').map(({ address }) => address)
  const byAddress = Map.groupBy(await deedsAt(tx, stackId, changed), ({ address }) => address)
  return new Set(changed.filter((address) => tellsOrigin(byAddress.get(address) ?? [])))
}
