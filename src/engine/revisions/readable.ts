import { EMPTY_TREE } from '../../git/repository.ts'
import type { ErrorBody } from '../../lib/errors/error.ts'
import { getRepository } from '../../store/changes/repositories.ts'
import { deployCursor, heldRulesCommit, usableCommit } from './cursor.ts'
import { stepsBetween } from './steps.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { snapshotOf } from './branch.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/** First-parent steps that are looked back for a revision that can be read; each costs the reading of a tree. */
const LOOK_BACK = 20

export interface Readable {
  snapshot: Snapshot
  /** Set where the branch's tip cannot be read: why, and the commit that stands in for it; null where none ever could be. */
  standIn: { problem: ErrorBody; commitOid: string | null } | null
}

/** The rules by which changes of a branch are judged. */
export interface InForce extends Readable {
  /** The commit whose rules these are, where later ones came past the gate and hold for nobody yet. */
  heldAt: string | null
}

/**
 * The rules in force on a branch: what it said last that could be read, but for what came to the default branch past the gate.
 * Whoever can push there could otherwise take the gate away first, and then do as they like.
 */
export async function rulesInForce(
  parts: EngineParts,
  place: { repositoryId: string; branch: string },
  tipOid: string,
): Promise<InForce> {
  const readable = await lastReadable(parts, place, tipOid)
  const { repositoryId, branch } = place
  const heldAt = await heldRulesCommit(parts.store.db, repositoryId)
  if (heldAt === null || (await getRepository(parts.store.db, repositoryId))?.defaultBranch !== branch)
    return { ...readable, heldAt: null }
  return { ...readable, snapshot: await snapshotOf(parts, repositoryId, heldAt), heldAt }
}

/**
 * What a branch said last that could be read: what the next change of it is compared with. A broken trueup.yaml must neither
 * take gates away nor look as if there were no stacks. Of the default branch it is what the next deployment is compared with,
 * too, so that a preview shows what will be deployed.
 */
export async function lastReadable(
  parts: EngineParts,
  { repositoryId, branch }: { repositoryId: string; branch: string },
  tipOid: string,
): Promise<Readable> {
  const tip = await snapshotOf(parts, repositoryId, tipOid)
  const [problem] = tip.problems
  if (!problem) return { snapshot: tip, standIn: null }
  const repository = await getRepository(parts.store.db, repositoryId)
  if (repository?.defaultBranch !== branch) {
    const found = await readableBehind(parts, repositoryId, tipOid)
    // Nobody knows what an older one says: the tip has no rules, but is not taken for a first configuration either.
    return { snapshot: found?.snapshot ?? tip, standIn: { problem, commitOid: found?.commitOid ?? null } }
  }
  const steps = await stepsBetween(parts, repositoryId, await deployCursor(parts.store.db, repositoryId), tipOid)
  const found = await firstReadable(parts, repositoryId, steps.reverse())
  if (found) return { snapshot: found.snapshot, standIn: { problem, commitOid: found.commitOid } }
  const usable = await usableCommit(parts.store.db, repositoryId)
  const snapshot =
    usable === null
      ? await parts.snapshots.of(repositoryId, repositoryOf(parts, repositoryId), EMPTY_TREE)
      : await snapshotOf(parts, repositoryId, usable)
  return { snapshot, standIn: { problem, commitOid: usable } }
}

/** The newest revision at or before a commit, along first parents, that can be read; null where none is near. */
export async function readableBehind(
  parts: EngineParts,
  repositoryId: string,
  commitOid: string,
): Promise<{ commitOid: string; snapshot: Snapshot } | null> {
  const git = repositoryOf(parts, repositoryId)
  const commits = await git.log({ to: commitOid, limit: LOOK_BACK, firstParent: true })
  return await firstReadable(
    parts,
    repositoryId,
    commits.map(({ oid }) => oid),
  )
}

async function firstReadable(
  parts: EngineParts,
  repositoryId: string,
  commitOids: readonly string[],
): Promise<{ commitOid: string; snapshot: Snapshot } | null> {
  for (const commitOid of commitOids) {
    const snapshot = await snapshotOf(parts, repositoryId, commitOid)
    if (snapshot.problems.length === 0) return { commitOid, snapshot }
  }
  return null
}

/**
 * The snapshot whose rules count now on the default branch. A broken file must not open windows or take policies away. Null: an
 * empty repository.
 */
export async function rulesSnapshot(parts: EngineParts, repositoryId: string): Promise<Snapshot | null> {
  const repository = await getRepository(parts.store.db, repositoryId)
  if (!repository) return null
  const branch = repository.defaultBranch
  const head = await repositoryOf(parts, repositoryId).resolve(`refs/heads/${branch}`)
  return head === null ? null : (await rulesInForce(parts, { repositoryId, branch }, head)).snapshot
}
