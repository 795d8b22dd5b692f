import { CHANGING_KINDS, isStateChanging, PENDING_STATES, type RunState } from '../../domain/runs/run.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import type { Place } from '../../domain/plans/place.ts'
import { mayShare, type PlaceConflict, placeConflicts, placeTaken } from '../../domain/stacks/places.ts'
import { type ResolvedInput, type StackKey, stackKey } from '../../domain/stacks/stack.ts'
import type { ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { listRuns, type Run } from '../../store/runs/runs.ts'
import {
  type ClaimedPlace,
  claimPlaces,
  overlappingPlaces,
  placesOfStack,
  releasePlaces,
} from '../../store/stacks/places.ts'
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
 * Before a run begins: nobody else has the place that its configuration names, and a run that changes it has it from now
 * on. Throws PLACE_TAKEN with both names.
 */
export async function takePlace(parts: EngineParts, stack: Stack, run: Run, known: Known): Promise<void> {
  const place = await placeOfRun(parts, run, known)
  if (place === null) return
  const taken = await takePlaces(parts, stack, run, [place])
  if (taken !== null) throw taken
}

/**
 * The places of a run become its stack's, where it changes them and nobody else has them; otherwise PLACE_TAKEN with both
 * names. A drift check of a deployed stack takes what is free, so that stacks deployed by an older Trueup have theirs.
 */
export async function takePlaces(
  parts: EngineParts,
  stack: Stack,
  run: Run,
  places: readonly Place[],
): Promise<TrueupError | null> {
  if (places.length === 0) return null
  return await parts.store.transaction(async (tx) => {
    const changes = isStateChanging(run.kind)
    const held = new Set<Place>()
    const released = new Set<string>()
    const holders = holdersIn(tx)
    for (const { place, claim } of await overlappingPlaces(tx, stack.id, places)) {
      if (released.has(claim.stackId)) continue
      const holder = await holders.of(claim.stackId)
      if (mayShare(place, claimed(claim), areTogether(holder, stack))) continue
      // Plans of one repository are judged together, by what the merge result says.
      if (run.kind === 'preview' && holder.repositoryId === stack.repositoryId) continue
      const free = (await handsOver(tx, holder, stack)) || (await holders.isVacant(holder))
      if (free && run.kind === 'preview') continue
      if (changes && free) {
        await releasePlaces(tx, holder.id)
        released.add(holder.id)
      } else if (run.kind === 'drift') held.add(place)
      else return placeTaken(await conflictOf(tx, { stack, place }, { holder, claim }))
    }
    // A check of what was deployed before would take back the place that the stack has given up since.
    const { deployedCommit } = await requireStack(tx, stack.id)
    if (!changes && (run.kind !== 'drift' || run.commitOid !== deployedCommit)) return null
    const known = changes ? new Set() : new Set((await placesOfStack(tx, stack.id)).map(({ address }) => address))
    const taken = places.filter((place) => !held.has(place) && !known.has(place.address))
    await claimPlaces(tx, { places: taken, stackId: stack.id, runId: run.id })
    return null
  })
}

const claimed = ({ address, shared }: ClaimedPlace): Place => ({ address, shared })

const areTogether = (
  a: Pick<Stack, 'repositoryId' | 'environment'>,
  b: Pick<Stack, 'repositoryId' | 'environment'>,
): boolean => a.repositoryId === b.repositoryId && a.environment === b.environment

/** The stacks behind claims, each looked at once. */
function holdersIn(db: Queries) {
  const stacks = new Map<string, Stack>()
  const vacant = new Map<string, boolean>()
  return {
    async of(stackId: string): Promise<Stack> {
      const holder = stacks.get(stackId) ?? (await requireStack(db, stackId))
      stacks.set(stackId, holder)
      return holder
    },
    async isVacant(holder: Stack): Promise<boolean> {
      const is = vacant.get(holder.id) ?? (await isVacant(db, holder))
      vacant.set(holder.id, is)
      return is
    },
  }
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

/** A stack that a merge request plans, and what its plan found. */
export interface PlannedStack {
  key: StackKey
  plan: Pick<Plan, 'places'> | null
}

/**
 * What other stacks have of the places that these of a merge result are to have: said before the merge, where the
 * deployment would be refused. What the configuration names is compared with other repositories (inside of one its snapshot
 * tells), what plans have found with all stacks.
 */
export async function placesTaken(
  db: Queries,
  repositoryId: string,
  { stacks }: Snapshot,
  planned: readonly PlannedStack[],
): Promise<ErrorBody[]> {
  const keys = new Map<Place, StackKey>()
  const observed = new Set<Place>()
  const seen: { key: StackKey; place: Place }[] = []
  for (const { key, plan } of planned) {
    const named = stacks.get(key)?.place
    if (named) keys.set(named, key)
    for (const place of stacks.has(key) ? (plan?.places ?? []) : []) {
      keys.set(place, key)
      observed.add(place)
      seen.push({ key, place })
    }
  }
  const conflicts = placeConflicts(seen)
  const judged = new Set(seen.map(({ key }) => key))
  const holders = holdersIn(db)
  for (const { place, claim } of await overlappingPlaces(db, null, [...keys.keys()])) {
    const holder = await holders.of(claim.stackId)
    const key = keys.get(place)!
    const { environment, name } = stacks.get(key)!.definition
    const stack = { repositoryId, environment, name }
    if (mayShare(place, claimed(claim), areTogether(holder, stack))) continue
    if (holder.repositoryId === repositoryId) {
      const other = stackKey(holder.environment, holder.name)
      // Its plan in this merge request, or that it leaves Git by it, says more than what it has now.
      if (!observed.has(place) || other === key || judged.has(other) || !stacks.has(other)) continue
    }
    if (!(await holders.isVacant(holder))) conflicts.push(await conflictOf(db, { stack, place }, { holder, claim }))
  }
  const pairs = new Map(conflicts.toReversed().map((conflict) => [`${conflict.key} ${conflict.other}`, conflict]))
  return [...pairs.values()]
    .toReversed()
    .slice(0, MAX_TOLD)
    .map((conflict) => placeTaken(conflict).toJSON())
}

/** Pairs of stacks that a merge request names; the others follow when these are mended. */
const MAX_TOLD = 50

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
