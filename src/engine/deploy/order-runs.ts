import { topological } from '../../domain/stacks/order.ts'
import type { Cause } from '../../domain/plans/plan.ts'
import { facetsOf } from '../../domain/facets.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { Queries } from '../../store/database/context.ts'
import { releaseHeldRuns } from '../../store/runs/search.ts'
import { findStack, patchStack } from '../../store/stacks/stacks.ts'
import { HELD_REASONS } from '../stacks/held.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import { specOf, specToJson } from '../run-spec.ts'
import { affectedStacks } from '../snapshot/affected.ts'
import type { StackSource } from '../snapshot/snapshot.ts'
import { losesNeeds, releaseFromOldNeeds } from './old-needs.ts'
import { orderDeploys, type Wanted } from './order-deploys.ts'
import { inPieces, type Piece } from './pieces.ts'
import { inOrderOfRemoval, removeStacks } from './remove-stacks.ts'
import type { Step } from './step.ts'

/**
 * What orders the runs of one step, in pieces that are written one after the other before the cursor moves past it. Each
 * finds out what is done already, where the step was begun by a process that was killed. Costs what the step changes.
 */
export function orderRuns(step: Step): Piece[] {
  const affected = affectedStacks(step.before, step.after)
  const causes = new Map<StackKey, Cause>()
  for (const { key, how } of affected) if (how !== 'removed') causes.set(key, 'config')
  // Stacks that Git does not touch, but whose inputs were predicted to change: their plans were approved with the MR.
  for (const [key, preview] of Object.entries(step.mr ? previewsOf(step.mr) : {})) {
    if (preview.how === 'dependant' && step.after.stacks.has(key) && !causes.has(key)) causes.set(key, 'input')
  }
  const removed = affected.filter((stack) => stack.how === 'removed').map((stack) => stack.key)
  const reconfigured = step.before.config !== step.after.config || step.before.owners !== step.after.owners
  const ordered = new Map<StackKey, string>()
  return [
    // Runs are ordered by what stacks need now, also those that do not change.
    ...inPieces(reconfigured ? otherSettings(step, causes) : [], (tx, sources) => noteSettings(tx, step, sources)),
    ...inPieces(wantedOf(step, causes), (tx, wanted) => orderDeploys(tx, step, wanted, ordered)),
    ...inPieces(inOrderOfRemoval(step, removed), (tx, removals) => removeStacks(tx, step, removals, ordered)),
    ...(reconfigured ? [afterSettings(step)] : []),
  ]
}

/** In the order of their needs. */
function wantedOf({ after }: Step, causes: ReadonlyMap<StackKey, Cause>): Wanted[] {
  if (causes.size === 0) return []
  return topological([...after.stacks.values()].map((source) => source.definition)).flatMap(({ key }) => {
    const cause = causes.get(key)
    return cause === undefined ? [] : [{ key, cause }]
  })
}

/** Stacks whose desired state stays may still have other settings: drift mode, pool, needs, checks, labels, owners. */
function otherSettings({ before, after }: Step, wanted: ReadonlyMap<StackKey, Cause>): StackSource[] {
  const others: StackSource[] = []
  const isFoundAlike = ({ definition }: StackSource): boolean =>
    before.owners === after.owners || facetsOf(definition, before.owners) === facetsOf(definition, after.owners)
  for (const [key, source] of after.stacks)
    if (!wanted.has(key) && !(sameSettings(before.stacks.get(key), source) && isFoundAlike(source))) others.push(source)
  return others
}

async function noteSettings(
  tx: Queries,
  { repositoryId, after }: Step,
  sources: readonly StackSource[],
): Promise<void> {
  for (const source of sources) {
    const { environment, name, path } = source.definition
    const facets = facetsOf(source.definition, after.owners)
    const stack = await findStack(tx, { repositoryId, environment, name })
    if (stack) await patchStack(tx, stack.id, { config: specToJson(specOf(source)), path, facets })
  }
}

const sameSettings = (a: StackSource | undefined, b: StackSource): boolean =>
  a === b || (a !== undefined && canonicalJson([a.definition, a.paths]) === canonicalJson([b.definition, b.paths]))

const afterSettings = (step: Step): Piece => ({
  stacks: 0,
  async write(tx) {
    if (losesNeeds(step)) await releaseFromOldNeeds(tx, step)
    // Windows may have changed.
    await releaseHeldRuns(tx, { repositoryId: step.repositoryId, reasons: HELD_REASONS })
  },
})
