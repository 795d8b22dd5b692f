import { keyedHash } from '../../lib/digest.ts'
import { topological } from '../../domain/stacks/order.ts'
import type { Output } from '../../domain/plans/plan.ts'
import { type StackKey, stackKey } from '../../domain/stacks/stack.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { createRun, getRuns, type Run } from '../../store/runs/runs.ts'
import { allStacks, findStack, type Stack } from '../../store/stacks/stacks.ts'
import { listVariables, type Variable } from '../../store/stacks/variables.ts'
import { desiredDigestOf, destroyedDigest } from '../stacks/desired.ts'
import { type InputResolution, type NoOutputs, resolveInputs } from '../stacks/inputs.ts'
import { hashKeyOf } from '../keys.ts'
import { currentOutputs, outputsOfStack } from '../stacks/outputs.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { type RunSpec, specOf, specOfRun, specToJson } from '../run-spec.ts'
import { affectedStacks } from '../snapshot/affected.ts'
import type { Snapshot, StackSource } from '../snapshot/snapshot.ts'
import { removalFate } from '../stacks/removal.ts'
import { stackRowForPreview } from '../stacks/rows.ts'
import { isForeignPool } from './foreign-pool.ts'
import { unvouchedExecutable } from './executable.ts'
import { PREVIEWS_AT_A_TIME, type Room, waitsForApproval, waitsForTurn, waitsForVoucher } from './held-previews.ts'
import { needsPlaceholders, withoutSensitive } from './placeholders.ts'
import { type PreviewRef, type PreviewRefs, previewsOf, runsOf } from './previews.ts'
import { reachingAsTarget, untrustedIn } from './trust.ts'
import { isVetted } from './vetted.ts'
import { workersFor } from '../workers-for.ts'

/** Preview runs in these states stand for the plan of their desired state; others are made again. */
const STANDING = ['queued', 'leased', 'preparing', 'planning', 'succeeded', 'failed']

interface Comparison {
  before: Snapshot
  after: Snapshot
  /** The commit of the merge result. */
  commitOid: string
  /** Ended runs that are to be made again. */
  anew: (run: Run) => boolean
}

/** Outputs that a stack will have after the merge, as far as its preview tells, or why there is none. */
type Predictions = Map<StackKey, Outputs | NoOutputs>

/** Finds the affected stacks and their dependants, with the runs that plan them: standing ones, or new ones. */
export async function orderPreviews(
  parts: EngineParts,
  mr: MergeRequest,
  comparison: Comparison,
): Promise<PreviewRefs> {
  const { before, after, commitOid, anew } = comparison
  const old = previewsOf(mr)
  const previews: PreviewRefs = {}
  if (after.problems.length > 0) return previews
  const affected = affectedStacks(before, after)
  if (affected.length === 0) return previews
  const how = new Map(affected.map((stack) => [stack.key, stack.how as PreviewRef['how']]))
  const predictions: Predictions = new Map()
  const awaited: Awaited = new Map()
  const undeployed = await neverDeployed(parts, mr.repositoryId)
  const runs = await getRuns(parts.store.db, runsOf(old))
  const variables = await listVariables(parts.store.db, mr.repositoryId)
  const vetted = await isVetted(parts, mr)
  const isUntrusted = await untrustedIn(parts, mr, before, vetted)
  const executes = await unvouchedExecutable(parts, mr, before, after)
  const room = { left: PREVIEWS_AT_A_TIME - [...runs.values()].filter(({ finishedAt }) => finishedAt === null).length }
  for (const { key, inputs, needs } of topological([...after.stacks.values()].map((source) => source.definition))) {
    awaited.set(
      key,
      awaitedBy(needs, (need) => how.has(need) || undeployed.has(need), awaited),
    )
    const fromPlanned = Object.values(inputs).some((input) => predictions.has(input.stack))
    if (!how.has(key) && !fromPlanned) continue
    const source = shownAsTarget(after.stacks.get(key)!, before)
    const known = { commitOid, anew, predictions, runs, variables, room, vetted, isUntrusted, target: before }
    const awaits = awaited.get(key)!
    const facts = { how: how.get(key) ?? ('dependant' as const), old: old[key], awaits, ...known }
    const held = !vetted && isForeignPool(source.definition, before)
    const brings = held ? [] : await executes(source)
    const preview = held
      ? waitsForApproval(facts.how, source.definition.pool)
      : brings.length > 0
        ? waitsForVoucher(facts.how, brings)
        : await previewOf(parts, mr, source, facts)
    if (!preview) continue
    previews[key] = preview.ref
    predictions.set(key, preview.outputs)
  }
  for (const { key } of affected.filter((stack) => stack.how === 'removed')) {
    previews[key] = await removalOf(parts, mr, before.stacks.get(key)!, after.config !== null, {
      old: old[key],
      anew,
      runs,
      room,
    })
  }
  return previews
}

/** What of a secret's surroundings is shown is for the target branch to say, not for the change that is looked at. */
function shownAsTarget(source: StackSource, before: Snapshot): StackSource {
  const { showSecretDiff: _, ...definition } = source.definition
  const asked = before.stacks.get(definition.key)?.definition.showSecretDiff
  return { ...source, definition: { ...definition, ...(asked && { showSecretDiff: true }) } }
}

/** stack → stacks among those that it needs, however far, that are not deployed as they will be. */
type Awaited = Map<StackKey, StackKey[]>

/** `awaited` has those of every stack before it in the order of needs. */
function awaitedBy(needs: readonly StackKey[], isMissing: (stack: StackKey) => boolean, awaited: Awaited): StackKey[] {
  const found = needs.flatMap((need) => [...(awaited.get(need) ?? []), ...(isMissing(need) ? [need] : [])])
  return [...new Set(found)].toSorted()
}

/** Stacks of the default branch that are yet to be deployed for the first time. */
async function neverDeployed({ store }: EngineParts, repositoryId: string): Promise<Set<StackKey>> {
  const stacks = (await allStacks(store.db, { repositoryId })).filter(({ deployedDigest }) => deployedDigest === null)
  return new Set(stacks.map(({ environment, name }) => stackKey(environment, name)))
}

interface PreviewFacts {
  how: PreviewRef['how']
  awaits: StackKey[]
  old: PreviewRef | undefined
  commitOid: string
  anew: (run: Run) => boolean
  predictions: Predictions
  /** The runs of `old`, by id. */
  runs: ReadonlyMap<string, Run>
  variables: readonly Variable[]
  room: Room
  /** See `vetted.ts`. */
  vetted: boolean
  /** By environment; see `trust.ts`. */
  isUntrusted: (environment: string) => boolean
  target: Snapshot
}

type Outputs = { [name: string]: Output }

async function previewOf(
  parts: EngineParts,
  mr: MergeRequest,
  source: StackSource,
  facts: PreviewFacts,
): Promise<{ ref: PreviewRef; outputs: Outputs | NoOutputs } | null> {
  const { definition } = source
  const { how, predictions, awaits } = facts
  const current = await currentOutputs(parts, mr.repositoryId, definition)
  const foretold = Object.values(definition.inputs).some((input) => predictions.has(input.stack))
  const provisional = foretold || awaits.length > 0
  const early = { provisional, ...(awaits.length > 0 && { awaits }) }
  const resolution = resolveInputs(definition, (key) => predictions.get(key) ?? current.get(key) ?? null, foretold)
  if (resolution.status !== 'resolved') {
    // Not affected itself, and an upstream plan is not there yet: nobody can say whether it is concerned at all.
    if (how === 'dependant' && resolution.status === 'pending') return null
    const settled = resolution.status !== 'pending'
    const ref: PreviewRef = { how, runId: null, ...early, provisional: true, note: noteOf(resolution), settled }
    return { ref, outputs: settled ? 'unplanned' : 'pending' }
  }
  // Before anything is read or written for it: there may be tens of thousands.
  if (how !== 'dependant' && !facts.old?.runId && facts.room.left <= 0) return waitsForTurn(how)
  const desiredDigest = await desiredDigestOf(parts, mr.repositoryId, source, resolution.inputs, facts.variables)
  const stack = await stackRowForPreview(parts.store, mr.repositoryId, source)
  if (how === 'dependant' && desiredDigest === stack.deployedDigest) return null
  const { vetted, target } = facts
  const untrusted = facts.isUntrusted(definition.environment)
  const planned = facts.old?.runId ? facts.runs.get(facts.old.runId) : undefined
  const placeholders = needsPlaceholders(source, resolution.inputs, { how, vetted, untrusted, target, before: planned })
  const spec = specOf(untrusted ? reachingAsTarget(source, target) : source, {
    base: baseOf(stack),
    cause: how === 'dependant' ? 'input' : null,
    ...(foretold && { predicted: withoutSensitive(resolution.inputs) }),
    ...(placeholders && { placeholders }),
    ...(untrusted && { untrusted }),
    ...(awaits.length > 0 && { awaits }),
  })
  const run = await standingOrNew(parts, mr, stack, spec, desiredDigest, facts)
  if (!run) return waitsForTurn(how)
  const outputs = await outputsAfter(parts, stack, run)
  return { ref: { how, runId: run.id, ...early, note: null, settled: true }, outputs }
}

/** A plan may tell only the outputs that change: the others stay as they are deployed. */
async function outputsAfter(parts: EngineParts, stack: Stack, run: Run): Promise<Outputs | NoOutputs> {
  if (run.finishedAt === null) return 'pending'
  if (run.state !== 'succeeded') return 'failed'
  const { store, keys } = parts
  const known: Outputs = await outputsOfStack(store.db, keys, stack.id)
  const planned = Object.entries(run.plan?.outputs ?? {})
  if (planned.every(([, output]) => !output.sensitive)) return { ...known, ...Object.fromEntries(planned) }
  const hashKey = await hashKeyOf(parts, stack.repositoryId)
  const told = planned.map(([name, output]) => {
    if (!output.sensitive) return [name, output] as const
    // Of a sensitive one a plan has only the hash: it says whether the value stays, not what it will be.
    const before = known[name]
    const stays = before !== undefined && keyedHash(hashKey, before.value) === output.value
    return [name, stays ? before : { ...output, value: null, unknown: true }] as const
  })
  return { ...known, ...Object.fromEntries(told) }
}

function noteOf(resolution: Exclude<InputResolution, { status: 'resolved' }>): string {
  switch (resolution.status) {
    case 'pending':
      return `waits for the plan of ${resolution.stack}`
    case 'failed':
      return `the plan of ${resolution.stack} failed; planned once that succeeds`
    case 'unplanned':
      return `${resolution.stack} is not planned either; planned once it is`
    case 'unknown':
      return `input "${resolution.input}" is known only after ${resolution.stack} is applied; planned then`
    case 'missing':
      return `${resolution.stack} has no output "${resolution.output}" for input "${resolution.input}" yet; planned once it has`
  }
}

/** Null where as many as may be are under way. */
async function standingOrNew(
  parts: EngineParts,
  mr: MergeRequest,
  stack: Stack,
  spec: RunSpec,
  desiredDigest: string,
  facts: Pick<PreviewFacts, 'old' | 'commitOid' | 'anew' | 'runs' | 'room'>,
): Promise<Run | null> {
  if (facts.old?.runId) {
    const run = facts.runs.get(facts.old.runId)
    const same = run && run.desiredDigest === desiredDigest && isMadeAlike(specOfRun(run), spec)
    const again = run !== undefined && run.finishedAt !== null && facts.anew(run)
    if (same && isStanding(run) && !again) return run
  }
  if (facts.room.left <= 0) return null
  facts.room.left--
  return await parts.store.transaction((tx) =>
    createRun(tx, {
      stackId: stack.id,
      repositoryId: mr.repositoryId,
      kind: 'preview',
      commitOid: facts.commitOid,
      desiredDigest,
      spec: specToJson(spec),
      mrId: mr.id,
      personId: mr.authorId,
      ...workersFor(spec.definition),
      provisional: spec.predicted !== undefined || spec.awaits !== undefined,
      actor: SYSTEM,
    }),
  )
}

/** Against the same deployed state, and before the same stacks: what is deployed since may have changed what it found. */
const isMadeAlike = (made: RunSpec, wanted: RunSpec): boolean =>
  made.base === wanted.base &&
  (made.placeholders ?? false) === (wanted.placeholders ?? false) &&
  (made.untrusted ?? false) === (wanted.untrusted ?? false) &&
  (made.awaits ?? []).join() === (wanted.awaits ?? []).join()

/** One that a person has canceled stays canceled until a person retries it. */
function isStanding(run: Run): boolean {
  if (run.state === 'canceled') return run.reason === 'canceled_by_user'
  return STANDING.includes(run.state) && (run.cancelRequestedAt === null || run.cancelReason === 'canceled_by_user')
}

async function removalOf(
  parts: EngineParts,
  mr: MergeRequest,
  source: StackSource,
  configured: boolean,
  known: Pick<PreviewFacts, 'old' | 'anew' | 'runs' | 'room'>,
): Promise<PreviewRef> {
  const { environment, name } = source.definition
  const stack = await findStack(parts.store.db, { repositoryId: mr.repositoryId, environment, name })
  const fate = removalFate(stack, source.definition, configured)
  const ref = { how: 'removed' as const, provisional: false, settled: true }
  if (fate.how !== 'destroy') return { ...ref, runId: null, note: fate.why }
  const spec: RunSpec = { ...fate.spec, base: baseOf(stack!) }
  const desiredDigest = destroyedDigest(spec.sourceDigest)
  const run = await standingOrNew(parts, mr, stack!, spec, desiredDigest, { ...known, commitOid: fate.commitOid })
  return run ? { ...ref, runId: run.id, note: null } : waitsForTurn('removed').ref
}

/** What a plan was made against: a later deployment or heal of the same revision, or one that broke the stack, makes it stale. */
function baseOf({ deployedDigest, deployedAt, brokenByRunId }: Stack): string | null {
  const deployed = deployedDigest === null ? null : `${deployedDigest}@${deployedAt}`
  return brokenByRunId === null ? deployed : `${deployed} broken by ${brokenByRunId}`
}
