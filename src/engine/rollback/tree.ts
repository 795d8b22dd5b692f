import { TrueupError } from '../../lib/errors/error.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import type { RunSpec } from '../run-spec.ts'
import { beforeLanded } from '../revisions/before-merge.ts'
import { snapshotOf } from '../revisions/branch.ts'
import { nameOf, type RollbackPlan, type StackReturn } from './plan.ts'
import { revertTree } from './revert.ts'

export interface TreeAfter {
  tree: string
  /** The merge that it reverts whole; null where single stacks are put back. */
  revertCommit: string | null
}

/**
 * The tree that the default branch has after the rollback. For single stacks their files are put back; where that does not
 * give the earlier desired state, because trueup.yaml changed with them, the bad merge is reverted whole. Whichever way,
 * the result is proven by its digests. Errors: GIT_OBJECT_MISSING, MR_CONFLICT, CONFLICT.
 */
export async function treeAfterReturn(parts: EngineParts, plan: RollbackPlan, head: string): Promise<TreeAfter> {
  const git = repositoryOf(parts, plan.repository.id)
  const landed = async (bad: string) => ({ bad, before: await beforeLanded(parts, plan.repository.id, bad) })
  if (plan.revertCommit !== null) {
    const byRevert = await revertTree(git, head, await landed(plan.revertCommit))
    const { problems, stacks } = await parts.snapshots.of(plan.repository.id, git, byRevert)
    if (problems.length === 0 && plan.removed.every((stack) => stacks.has(nameOf(stack))))
      return { tree: byRevert, revertCommit: plan.revertCommit }
    if (plan.removed.length > 0)
      throw changedSince(plan, 'a revert of the merge does not give the stacks that it removed')
    // What repaired trueup.yaml must not be reverted with the rest: the stacks go back alone.
  }
  const wanted = await wantedDigests(parts, plan)
  const byFiles = await treeWithFiles(parts, plan, head)
  if (await gives(parts, plan, byFiles, wanted)) return { tree: byFiles, revertCommit: null }
  const [bad, ...others] = new Set(plan.returns.map((entry) => entry.badCommit))
  if (bad !== undefined && others.length === 0) {
    const byRevert = await revertTree(git, head, await landed(bad))
    if (await gives(parts, plan, byRevert, wanted)) return { tree: byRevert, revertCommit: bad }
  }
  const [broken] = (await snapshotOf(parts, plan.repository.id, head)).problems
  if (broken) {
    const why = `"${plan.repository.defaultBranch}" cannot be read itself: ${broken.doing}: ${broken.why}`
    const next = 'Repair trueup.yaml by an ordinary merge request, then roll back.'
    throw new TrueupError('CONFLICT', { doing: `rolling back ${plan.name}`, why, next })
  }
  throw changedSince(plan, 'neither its earlier files nor a revert of the merge give what was deployed before')
}

const changedSince = ({ name }: RollbackPlan, what: string): TrueupError =>
  new TrueupError('CONFLICT', {
    doing: `rolling back ${name}`,
    why: `${what}: trueup.yaml has changed since`,
    next: 'Write the revert by hand as an ordinary merge request.',
  })

/** stack id → source digest that it has to have after the rollback. */
async function wantedDigests(parts: EngineParts, { repository, returns }: RollbackPlan): Promise<Map<string, string>> {
  const wanted = new Map<string, string>()
  for (const entry of returns) {
    const digest = entry.goodDigest ?? (await sourceAt(parts, repository.id, entry))?.sourceDigest
    if (digest === undefined) {
      const why = `commit ${entry.toCommit.slice(0, 10)} does not have the stack`
      throw new TrueupError('CONFLICT', { doing: `rolling back ${nameOf(entry.stack)}`, why })
    }
    wanted.set(entry.stack.id, digest)
  }
  return wanted
}

async function sourceAt(parts: EngineParts, repositoryId: string, { stack, toCommit }: StackReturn) {
  const commitOid = await repositoryOf(parts, repositoryId).resolve(toCommit)
  if (commitOid === null) {
    const why = `there is no commit ${toCommit}`
    throw new TrueupError('GIT_OBJECT_MISSING', { doing: `rolling back ${nameOf(stack)}`, why })
  }
  const { stacks, problems } = await snapshotOf(parts, repositoryId, commitOid)
  const [problem] = problems
  if (problem) {
    const why = `commit ${commitOid.slice(0, 10)} cannot be read: ${problem.doing}: ${problem.why}`
    throw new TrueupError('CONFLICT', { doing: `rolling back ${nameOf(stack)}`, why, next: 'Name another commit.' })
  }
  return stacks.get(nameOf(stack))
}

async function gives(
  parts: EngineParts,
  { repository, returns }: RollbackPlan,
  tree: string,
  wanted: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { stacks } = await parts.snapshots.of(repository.id, repositoryOf(parts, repository.id), tree)
  return returns.every(({ stack }) => stacks.get(nameOf(stack))?.sourceDigest === wanted.get(stack.id))
}

/** The head's tree with everything that the stacks are made of as the earlier commits have it. */
async function treeWithFiles(parts: EngineParts, { repository, returns }: RollbackPlan, head: string): Promise<string> {
  const git = repositoryOf(parts, repository.id)
  const trees = new Map<string, { path: string; oid: string | null; mode?: string }>()
  for (const entry of returns) {
    const now = (entry.stack.config as unknown as RunSpec).paths
    const then = (await sourceAt(parts, repository.id, entry))?.paths ?? []
    const paths = [...new Set([...now, ...then])]
    const objects = await git.pathOids(entry.toCommit, paths)
    for (const path of paths) {
      const object = objects.get(path)
      // Paths that several stacks share go back with the first: the MR shows what else that touches.
      if (!trees.has(path)) trees.set(path, { path, oid: object?.oid ?? null, ...(object && { mode: object.mode }) })
    }
  }
  const at = (await git.commit(head)).committer
  const probe = await git.commitFiles({
    parent: head,
    message: 'rollback\n',
    author: at,
    files: [],
    trees: [...trees.values()],
  })
  return (await git.commit(probe)).tree
}
