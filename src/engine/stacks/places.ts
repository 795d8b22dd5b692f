import { CHANGING_KINDS, isStateChanging, PENDING_STATES, type RunState } from '../../domain/runs/run.ts'
import { type Place, type PlaceConflict, placeTaken } from '../../domain/stacks/places.ts'
import { type ResolvedInput, stackKey } from '../../domain/stacks/stack.ts'
import type { ErrorBody } from '../../lib/errors/error.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { listRuns, type Run } from '../../store/runs/runs.ts'
import { type ClaimedPlace, claimPlace, overlappingPlaces, releasePlaces } from '../../store/stacks/places.ts'
import { requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { placeIn } from '../snapshot/stack-source.ts'
import { treeView } from '../../git/tree-view.ts'

/** What is known of a run that begins. */
interface Known {
  inputs: { [name: string]: ResolvedInput }
  variables: { [name: string]: { value: string } }
}

/**
 * Before a run begins: nobody else has the place that it is about, and a run that changes it has it from now on. A drift
 * check of a deployed stack takes a place that is free, so that stacks deployed by an older Trueup have theirs. Throws
 * PLACE_TAKEN with both names.
 */
export async function takePlace(parts: EngineParts, stack: Stack, run: Run, known: Known): Promise<void> {
  const place = await placeOfRun(parts, run, known)
  if (place === null) return
  await parts.store.transaction(async (tx) => {
    const changes = isStateChanging(run.kind)
    const claims = await overlappingPlaces(tx, stack.id, place)
    for (const claim of claims) {
      const holder = await requireStack(tx, claim.stackId)
      // Plans of one repository are judged together, by what the merge result says.
      if (run.kind === 'preview' && holder.repositoryId === stack.repositoryId) continue
      const free = (await handsOver(tx, holder, stack)) || (await isVacant(tx, holder))
      if (free && run.kind === 'preview') continue
      if (changes && free) await releasePlaces(tx, holder.id)
      else if (run.kind === 'drift') return
      else throw placeTaken(await conflictOf(tx, { stack, place }, { holder, claim }))
    }
    // A check of what was deployed before would take back the place that the stack has given up since.
    const { deployedCommit } = await requireStack(tx, stack.id)
    if (changes || (run.kind === 'drift' && run.commitOid === deployedCommit))
      await claimPlace(tx, { place, stackId: stack.id, runId: run.id })
  })
}

async function placeOfRun(parts: EngineParts, run: Run, { inputs, variables }: Known): Promise<Place | null> {
  const git = repositoryOf(parts, run.repositoryId)
  const values = Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value]))
  const view = treeView(git, (await git.commit(run.commitOid)).tree)
  const { definition } = specOfRun(run)
  // What a merge request says by itself its gate judges, each time anew.
  if (run.kind === 'preview' && (await placeIn(git, view, definition)) !== null) return null
  return await placeIn(git, view, definition, { inputs, variables: values })
}

/** A stack that left Git leaves its place to another of its repository: it was renamed, or its successor is. */
async function handsOver(tx: Tx, holder: Stack, to: Stack): Promise<boolean> {
  if (holder.repositoryId !== to.repositoryId || holder.desiredCommit !== null) return false
  return !(await isChanging(
    tx,
    holder,
    PENDING_STATES.filter((state) => state !== 'queued'),
  ))
}

/**
 * A stack that was never deployed, and whose deployment ended before its first write or waits for a person, has nothing at the
 * place: it must not keep others away for as long as it stands there. Its deployment claims the place again when it goes on.
 */
async function isVacant(db: Queries, holder: Stack): Promise<boolean> {
  if (holder.deployedCommit !== null || holder.brokenByRunId !== null) return false
  return !(await isChanging(
    db,
    holder,
    PENDING_STATES.filter((state) => state !== 'queued' && state !== 'awaiting_approval'),
  ))
}

async function isChanging(db: Queries, { id: stackId }: Stack, states: RunState[]): Promise<boolean> {
  return (await listRuns(db, { stackId, kinds: CHANGING_KINDS, states }, { limit: 1 })).items.length > 0
}

/**
 * What stacks of other repositories have of the places that these stacks of a merge result are to have: said before the
 * merge, where the deployment would be refused.
 */
export async function placesTakenElsewhere(
  db: Queries,
  repositoryId: string,
  { stacks }: Snapshot,
  keys: readonly string[],
): Promise<ErrorBody[]> {
  const problems: ErrorBody[] = []
  for (const key of keys) {
    const place = stacks.get(key)?.place
    if (!place) continue
    const { environment, name } = stacks.get(key)!.definition
    for (const claim of await overlappingPlaces(db, null, place)) {
      const holder = await requireStack(db, claim.stackId)
      if (holder.repositoryId === repositoryId || (await isVacant(db, holder))) continue
      const stack = { repositoryId, environment, name }
      problems.push(placeTaken(await conflictOf(db, { stack, place }, { holder, claim })).toJSON())
    }
  }
  return problems
}

async function conflictOf(
  db: Queries,
  { stack, place }: { stack: Pick<Stack, 'repositoryId' | 'environment' | 'name'>; place: Place },
  { holder, claim }: { holder: Stack; claim: ClaimedPlace },
): Promise<PlaceConflict> {
  const repository = await getRepository(db, holder.repositoryId)
  const elsewhere =
    holder.repositoryId === stack.repositoryId ? '' : ` of repository ${repository?.name ?? holder.repositoryId}`
  return {
    key: stackKey(stack.environment, stack.name),
    other: `${stackKey(holder.environment, holder.name)}${elsewhere}`,
    address: place.address,
    otherAddress: claim.address,
  }
}
