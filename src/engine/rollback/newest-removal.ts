import { type StackKey, stackKey } from '../../domain/stacks/stack.ts'
import { findQuarantine } from '../../store/stacks/quarantine.ts'
import { allStacks, type Stack } from '../../store/stacks/stacks.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { affectedStacks } from '../snapshot/affected.ts'
import { snapshotOf } from '../revisions/branch.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** A commit of the default branch and the stacks that left Git with it. */
export interface Removal {
  commitOid: string
  /** What Git said before it. */
  parentOid: string
  stacks: Stack[]
}

/** Commits of the default branch that are looked through; each costs what it changed. */
const LOOK_BACK = 200

/**
 * The newest commit that took stacks out of an environment, from `since` on (that one too): their rows no longer say which
 * it was. A configuration that cannot be read has removed nothing, so it is passed over. Null where there is none.
 */
export async function newestRemoval(
  parts: EngineParts,
  { repositoryId, environment, since }: { repositoryId: string; environment: string; since: string | null },
  head: string,
): Promise<Removal | null> {
  const rows = await allStacks(parts.store.db, { repositoryId, environment, removed: true })
  const gone = new Map(
    rows
      .filter((row) => row.desiredCommit === null)
      .map((row): [StackKey, Stack] => [stackKey(environment, row.name), row]),
  )
  if (gone.size === 0) return null
  const git = repositoryOf(parts, repositoryId)
  const from = since === null ? undefined : (await git.commit(since)).parents[0]
  const commits = await git.log({ to: head, limit: LOOK_BACK, firstParent: true, ...(from !== undefined && { from }) })
  const [base] = commits.at(-1)?.parents ?? []
  let newer: { oid: string; parents: string[]; snapshot: Snapshot } | null = null
  for (const { oid, parents } of [...commits, ...(base === undefined ? [] : [{ oid: base, parents: [] }])]) {
    const snapshot = await snapshotOf(parts, repositoryId, oid)
    if (snapshot.problems.length > 0) continue
    if (newer) {
      const stacks = await removedBetween(parts, gone, snapshot, newer.snapshot)
      if (stacks.length > 0) return { commitOid: newer.oid, parentOid: newer.parents[0]!, stacks }
    }
    newer = { oid, parents, snapshot }
  }
  return null
}

/** Those of `gone` that one snapshot has and the next has not. What a rollback took away on purpose is left out. */
async function removedBetween(
  parts: EngineParts,
  gone: ReadonlyMap<StackKey, Stack>,
  before: Snapshot,
  after: Snapshot,
): Promise<Stack[]> {
  const stacks: Stack[] = []
  for (const { key, how } of affectedStacks(before, after)) {
    const stack = how === 'removed' ? gone.get(key) : undefined
    if (stack && !(await findQuarantine(parts.store.db, stack.id, before.stacks.get(key)!.sourceDigest)))
      stacks.push(stack)
  }
  return stacks
}
