import { PENDING_STATES } from '../../domain/runs/run.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Deployment, getDeployment, listDeployments } from '../../store/stacks/deployments.ts'
import { findQuarantine, listQuarantine } from '../../store/stacks/quarantine.ts'
import { getRepository, type Repository } from '../../store/changes/repositories.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { listRuns } from '../../store/runs/runs.ts'
import { allStacks, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { snapshotOf } from '../revisions/branch.ts'
import type { RollbackDetail } from '../rolled-back/detail.ts'
import { changedBy, mergeBehind, stillRemoved } from './merge-behind.ts'
import { newestRemoval, type Removal } from './newest-removal.ts'

/** What to take back: the last change of one stack, the last change of an environment, or one deployment's merge. */
export type RollbackTarget =
  | { what: 'stack'; stackId: string; toCommit?: string }
  | { what: 'environment'; repositoryId: string; environment: string; toCommit?: string }
  | { what: 'deployment'; repositoryId: string; deploymentId: string }

/** One stack that goes back, the commit it goes back to, and the desired state that is to be quarantined. */
export interface StackReturn {
  stack: Stack
  toCommit: string
  /** Source digest that it has to have then; null: that of `toCommit`. */
  goodDigest: string | null
  badCommit: string
  badDigest: string
  /** Runs after this one are taken back; null: those of `badCommit`. */
  sinceRunId: string | null
  /** Set where what is left is itself the end of a rollback, and this takes that rollback back: its merge request. */
  undoesMrId: string | null
}

export interface RollbackPlan {
  name: string
  repository: Repository
  returns: StackReturn[]
  /** Set when a whole merge is reverted; single stacks are put back by their trees otherwise. */
  revertCommit: string | null
  /** Stacks that the merge which is reverted had taken out of Git. */
  removed: Stack[]
}

/** Deployments of a stack that are looked at for one to go back to. */
const LOOK_BACK = 200

export async function planRollback(parts: EngineParts, target: RollbackTarget): Promise<RollbackPlan> {
  switch (target.what) {
    case 'stack': {
      const stack = await requireStack(parts.store.db, target.stackId)
      const returns = [await returnOf(parts, stack, target.toCommit)]
      const repository = await repositoryById(parts, stack.repositoryId)
      return { name: nameOf(stack), repository, returns, revertCommit: null, removed: [] }
    }
    case 'environment':
      return await planEnvironment(parts, target)
    case 'deployment':
      return await planDeployment(parts, target)
  }
}

async function planEnvironment(
  parts: EngineParts,
  { repositoryId, environment, toCommit }: Extract<RollbackTarget, { what: 'environment' }>,
): Promise<RollbackPlan> {
  const repository = await repositoryById(parts, repositoryId)
  const stacks = (await allStacks(parts.store.db, { repositoryId, environment })).filter(
    (stack) => stack.desiredCommit !== null,
  )
  const name = `environment ${environment}`
  const newest = toCommit === undefined ? await lastChanged(parts, stacks) : null
  const since = newest?.commitOid ?? null
  const head = await repositoryOf(parts, repositoryId).resolve(`refs/heads/${repository.defaultBranch}`)
  if (toCommit === undefined && head !== null) {
    const removal = await newestRemoval(parts, { repositoryId, environment, since }, head)
    if (removal) return { name, repository, ...returnOfRemoval(removal, newest) }
  }
  const returns: StackReturn[] = []
  for (const stack of newest?.stacks ?? (toCommit === undefined ? [] : stacks))
    returns.push(await returnOf(parts, stack, toCommit))
  if (returns.length === 0)
    throw new TrueupError('CONFLICT', {
      doing: `rolling back environment ${environment}`,
      why: 'it has no deployments',
    })
  return { name, repository, returns, revertCommit: null, removed: [] }
}

/** A removed stack has no files to put back alone: the merge is reverted whole, with what else it changed there. */
function returnOfRemoval(
  { commitOid, parentOid, stacks }: Removal,
  newest: NewestChange | null,
): Pick<RollbackPlan, 'returns' | 'revertCommit' | 'removed'> {
  const changed = newest?.commitOid === commitOid ? newest.stacks : []
  const returns = changed.map((stack) => ({
    stack,
    toCommit: parentOid,
    goodDigest: null,
    badCommit: commitOid,
    badDigest: stack.desiredDigest!,
    sinceRunId: null,
    undoesMrId: null,
  }))
  return { returns, revertCommit: commitOid, removed: stacks }
}

async function planDeployment(
  parts: EngineParts,
  target: Extract<RollbackTarget, { what: 'deployment' }>,
): Promise<RollbackPlan> {
  const deployment = await getDeployment(parts.store.db, target.deploymentId)
  if (deployment?.repositoryId !== target.repositoryId) {
    const why = `there is no deployment ${target.deploymentId}`
    throw new TrueupError('NOT_FOUND', { doing: 'rolling back', why })
  }
  const { repositoryId } = deployment
  const commitOid = await mergeBehind(parts, deployment)
  const changed = await changedBy(parts, repositoryId, commitOid)
  const together = await listDeployments(parts.store.db, { repositoryId, commitOid, kind: 'deploy' }, { limit: 500 })
  // One that was tried several times goes back once; the oldest knows what was there before.
  const oldest = new Map(together.items.map((sibling) => [sibling.stackId, sibling]))
  const returns: StackReturn[] = []
  for (const sibling of oldest.values()) {
    const stack = await requireStack(parts.store.db, sibling.stackId)
    // Deployed with it because its inputs changed: its own state was not bad.
    if (!changed.has(nameOf(stack))) continue
    const toCommit = sibling.previousCommitOid ?? sibling.commitOid
    const left = { badCommit: commitOid, badDigest: sibling.desiredDigest }
    const undoesMrId = await undoneBy(parts, stack.id, deployment.mrId)
    returns.push({ stack, toCommit, goodDigest: null, ...left, sinceRunId: null, undoesMrId })
  }
  const removed = await stillRemoved(parts, repositoryId, commitOid)
  const name = `the deployment of ${commitOid.slice(0, 10)}`
  const repository = await repositoryById(parts, repositoryId)
  return { name, repository, returns, revertCommit: commitOid, removed }
}

/** The rollback that a merge request was, where it took this stack back; null otherwise. */
async function undoneBy(parts: EngineParts, stackId: string, mrId: string | null): Promise<string | null> {
  const mr = mrId === null ? undefined : await getMergeRequest(parts.store.db, mrId)
  if (mr?.origin !== 'rollback') return null
  const { stacks } = mr.originDetail as unknown as RollbackDetail
  return stacks.some((entry) => entry.stackId === stackId) ? mr.id : null
}

interface NewestChange {
  commitOid: string
  stacks: Stack[]
}

/** Of the stacks, those that the newest merge among them changed, deployed or not. */
async function lastChanged(parts: EngineParts, stacks: Stack[]): Promise<NewestChange | null> {
  const merges: { stack: Stack; sequence: number }[] = []
  for (const stack of stacks) {
    const filter = { stackId: stack.id, commitOid: stack.desiredCommit!, kinds: ['deploy'] as const }
    const { items } = await listRuns(parts.store.db, filter, { limit: 50 })
    merges.push({ stack, sequence: Math.max(0, ...items.map((run) => run.mergeSequence ?? 0)) })
  }
  const [newest] = merges.sort((a, b) => b.sequence - a.sequence)
  if (!newest) return null
  const commitOid = newest.stack.desiredCommit!
  const changed = await changedBy(parts, newest.stack.repositoryId, commitOid)
  return {
    commitOid,
    stacks: stacks.filter((stack) => stack.desiredCommit === commitOid && changed.has(nameOf(stack))),
  }
}

/** Where a stack goes back to: the last successful deployment of another desired state, or a commit that was named. */
async function returnOf(parts: EngineParts, stack: Stack, toCommit?: string): Promise<StackReturn> {
  const doing = `rolling back ${nameOf(stack)}`
  const { items } = await listDeployments(parts.store.db, { stackId: stack.id, kind: 'deploy' }, { limit: LOOK_BACK })
  const bad = badState(stack, items[0])
  if (!bad) throw new TrueupError('CONFLICT', { doing, why: 'it was never deployed' })
  if (toCommit !== undefined) {
    const wanted = await sourceDigestAt(parts, stack, toCommit)
    const then = items.find(({ status, desiredDigest }) => status === 'succeeded' && desiredDigest === wanted)
    const undoesMrId = await leftBy(parts, stack.id, wanted)
    return { stack, toCommit, goodDigest: null, ...bad, sinceRunId: then?.runId ?? null, undoesMrId }
  }
  await refuseUnderWay(parts, stack, doing)
  const quarantined = new Set(
    (await listQuarantine(parts.store.db, { stackId: stack.id })).map((entry) => entry.desiredDigest),
  )
  const good = items.find(
    ({ status, desiredDigest }) =>
      status === 'succeeded' && desiredDigest !== bad.badDigest && !quarantined.has(desiredDigest),
  )
  const way = { sinceRunId: good?.runId ?? null, undoesMrId: null }
  if (good) return { stack, toCommit: good.commitOid, goodDigest: good.desiredDigest, ...bad, ...way }
  const next = 'Name a commit with --to, or remove the stack from trueup.yaml by a merge request.'
  throw new TrueupError('CONFLICT', { doing, why: 'there is no earlier successful deployment to go back to', next })
}

/** Digest of the stack's source at a commit; null where that cannot be said, which the making of the tree explains. */
async function sourceDigestAt(parts: EngineParts, stack: Stack, commit: string): Promise<string | null> {
  const oid = await repositoryOf(parts, stack.repositoryId).resolve(commit)
  if (oid === null) return null
  return (await snapshotOf(parts, stack.repositoryId, oid)).stacks.get(nameOf(stack))?.sourceDigest ?? null
}

/** The rollback that left this state and put it into quarantine. */
async function leftBy(parts: EngineParts, stackId: string, digest: string | null): Promise<string | null> {
  return digest === null ? null : ((await findQuarantine(parts.store.db, stackId, digest))?.mrId ?? null)
}

/** A way back that is merged and not yet gone to its end is not to be gone once more, one state further. */
async function refuseUnderWay(parts: EngineParts, stack: Stack, doing: string): Promise<void> {
  const filter = { stackId: stack.id, kinds: ['deploy'] as const, states: PENDING_STATES }
  for (const { id, mrId, state } of (await listRuns(parts.store.db, filter, { limit: 20 })).items) {
    const mr = mrId === null ? undefined : await getMergeRequest(parts.store.db, mrId)
    if (mr?.origin !== 'rollback') continue
    throw new TrueupError('ROLLBACK_OPEN', {
      doing,
      why: `!${mr.number} takes it back already, and its run ${id} is "${state}"`,
      next: `Look at it with \`trueup run show ${id}\`; to go further back than it does, name a commit with --to.`,
      details: { mergeRequests: [mr.number] },
    })
  }
}

/** What Git says now where that is not (or not wholly) deployed; the last deployment otherwise. */
function badState(stack: Stack, last: Deployment | undefined): Pick<StackReturn, 'badCommit' | 'badDigest'> | null {
  const { desiredCommit, desiredDigest } = stack
  if (desiredCommit !== null && desiredDigest !== null && desiredDigest !== last?.desiredDigest)
    return { badCommit: desiredCommit, badDigest: desiredDigest }
  return last ? { badCommit: last.commitOid, badDigest: last.desiredDigest } : null
}

export const nameOf = (stack: Stack): string => `${stack.environment}/${stack.name}`

async function repositoryById(parts: EngineParts, repositoryId: string): Promise<Repository> {
  const repository = await getRepository(parts.store.db, repositoryId)
  if (repository) return repository
  throw new TrueupError('NOT_FOUND', { doing: 'rolling back', why: `there is no repository ${repositoryId}` })
}
