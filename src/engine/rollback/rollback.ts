import { type GitRepository, NO_OID, type Person } from '../../git/repository.ts'
import { inert } from '../../domain/render/markdown-text.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { newId } from '../../lib/ids.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { recordPusher } from '../../store/changes/refs.ts'
import { getUser } from '../../store/people/users.ts'
import { type EngineParts, repositoryOf, userActor } from '../parts.ts'
import { syncRefs } from '../changes/ref-sync.ts'
import type { RollbackDetail } from '../rolled-back/detail.ts'
import { quarantineFor } from '../rolled-back/quarantine.ts'
import { refuseIfOpen } from './already-open.ts'
import { nameOf, planRollback, type RollbackPlan, type RollbackTarget } from './plan.ts'
import { treeAfterReturn } from './tree.ts'
import { withUndo } from './undo.ts'

export type { RollbackTarget } from './plan.ts'

export interface RollbackWish {
  target: RollbackTarget
  reason: string
  actorId: string
}

/**
 * Makes the revert as a Git change: a commit on a branch of its own, an MR on the environment's fast lane, and the bad
 * desired state in quarantine, so that no retry, drift check or heal brings it back meanwhile or later.
 * Errors: NOT_FOUND, CONFLICT (nothing to go back to), ROLLBACK_OPEN (an open one does that), MR_CONFLICT (later changes
 * are in the way).
 */
export async function rollBack(parts: EngineParts, wish: RollbackWish): Promise<MergeRequest> {
  const plan = await planRollback(parts, wish.target)
  // One after the other: of two at the same moment the second is to find the merge request of the first.
  return await parts.turns.take(`rollback:${plan.repository.id}`, () => openRevert(parts, wish, plan))
}

async function openRevert(parts: EngineParts, wish: RollbackWish, plan: RollbackPlan): Promise<MergeRequest> {
  const { repository, returns } = plan
  const git = repositoryOf(parts, repository.id)
  const head = await git.resolve(`refs/heads/${repository.defaultBranch}`)
  const doing = 'rolling back'
  if (head === null)
    throw new TrueupError('CONFLICT', { doing, why: `branch "${repository.defaultBranch}" does not exist` })
  if ('toCommit' in wish.target && wish.target.toCommit !== undefined)
    await refuseForeign(git, head, wish.target.toCommit)
  const { tree: before, revertCommit } = await treeAfterReturn(parts, plan, head)
  if (before === (await git.commit(head)).tree) {
    const why = `Git already says what was deployed before the last change of ${plan.name}`
    const next = 'Look at the stack: the deployment of that state may still be under way.'
    throw new TrueupError('CONFLICT', { doing, why, next })
  }
  await refuseIfOpen(parts, { ...plan, revertCommit })
  const undo = await withUndo(parts, plan, { head, tree: before })
  const title = `Roll back ${plan.name}`
  const bad = revertCommit === null ? [...new Set(returns.map((entry) => entry.badCommit))] : [revertCommit]
  const commitOid = await git.commitTree({
    tree: undo.tree,
    parents: [head],
    message: `${title}\n\n${wish.reason}\n\nReverts: ${bad.join(' ')}\n`,
    author: await personOf(parts, wish.actorId),
    ...(parts.signingKey && { signingKey: parts.signingKey.file }),
  })
  // Flat: a branch named "trueup" must not be in the way of every rollback.
  const branch = `trueup-rollback-${newId('rb').slice(3)}`
  await parts.store.transaction((tx) => recordPusher(tx, repository.id, commitOid, wish.actorId))
  const forge = await parts.forges.of(repository.id)
  if (!(await forge.branches.move(repository.id, branch, commitOid, NO_OID))) {
    throw new TrueupError('CONFLICT', { doing, why: `branch ${branch} exists already` })
  }
  await syncRefs(parts, repository.id, userActor(wish.actorId))
  const stacks = returns.map(({ stack, toCommit, badCommit, badDigest, sinceRunId, undoesMrId }) => ({
    stackId: stack.id,
    toCommit,
    badCommit,
    badDigest,
    sinceRunId,
    ...(undoesMrId !== null && { undoesMrId }),
  }))
  const removed = plan.removed.map(({ id }) => id)
  const detail: RollbackDetail = { stacks, removed, revertCommit, commitOid, reason: wish.reason }
  const mr = await forge.changes.open({
    repositoryId: repository.id,
    sourceBranch: branch,
    targetBranch: repository.defaultBranch,
    title,
    description: describe(plan, wish.reason, undo.files),
    authorId: wish.actorId,
    origin: { kind: 'rollback', detail },
  })
  // Also done by the first look at the merge request, where this process ends in between.
  await quarantineFor(parts, mr.id)
  return mr
}

/** Of one line of a reason, characters. */
const MAX_REASON = 2_000

/** Merges that are looked through for the commit that somebody names. */
const MAX_MERGES = 10_000

/**
 * The fast lane is for states that have been on the default branch: a commit that was only pushed, or that a merge brought
 * along between two others, was never approved by anybody.
 */
async function refuseForeign(git: GitRepository, head: string, toCommit: string): Promise<void> {
  const doing = `rolling back to ${toCommit.slice(0, 40)}`
  const oid = await git.resolve(toCommit)
  if (oid === null) throw new TrueupError('GIT_OBJECT_MISSING', { doing, why: `there is no commit ${toCommit}` })
  const since = await git.log({ from: oid, to: head, firstParent: true, limit: MAX_MERGES })
  if (oid === head || since.at(-1)?.parents[0] === oid) return
  throw new TrueupError('CONFLICT', {
    doing,
    why: 'the default branch has never stood at that commit',
    next: 'Name a merge of the default branch, or open an ordinary merge request.',
  })
}

function describe({ returns, removed, revertCommit }: RollbackPlan, reason: string, files: readonly string[]): string {
  const lines = [
    ...returns.map(
      ({ stack, toCommit, badCommit }) =>
        `- ${nameOf(stack)}: from ${badCommit.slice(0, 10)} back to ${toCommit.slice(0, 10)}`,
    ),
    ...removed.map((stack) => `- ${nameOf(stack)}: back again, which ${revertCommit?.slice(0, 10)} had removed`),
  ]
  const left =
    'The states that are left are in quarantine: no retry and no heal brings them back. Closing this lifts that.'
  const isLeft = returns.some(({ undoesMrId }) => undoesMrId === null)
  const undone = `What the change had imported, moved or let go of is not destroyed or made twice: see ${files.join(', ')}.`
  // What people and tools have said is text, whatever it looks like to a forge.
  const why = reason
    .split(/\r\n|\n|\r/)
    .map((line) => inert(line, MAX_REASON))
    .join('\n')
  return [why, lines.join('\n'), ...(files.length > 0 ? [undone] : []), ...(isLeft ? [left] : [])].join('\n\n')
}

async function personOf(parts: EngineParts, userId: string): Promise<Person> {
  const user = await getUser(parts.store.db, userId)
  return { name: user?.name ?? 'trueup', email: user?.email || 'trueup@trueup.invalid', at: parts.store.clock.now() }
}
