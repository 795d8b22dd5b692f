import { EMPTY_TREE, NO_OID } from '../../git/repository.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Tx } from '../../store/database/context.ts'
import { getRepository, takeMergeSequence } from '../../store/changes/repositories.ts'
import { type EngineParts, repositoryOf, SYSTEM } from '../parts.ts'
import { snapshotOf } from '../revisions/branch.ts'
import { liftUndone } from '../rolled-back/quarantine.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { deployCursor, setDeployCursor, setUsableCommit, usableCommit } from '../revisions/cursor.ts'
import { orderRuns } from './order-runs.ts'
import { stepsBetween } from '../revisions/steps.ts'

/**
 * Enacts what the default branch has gained since the last time, merge by merge in their order. The cursor moves in the
 * transaction that writes a merge's runs, so a kill in between enacts nothing twice and forgets nothing.
 */
export async function deployBranch(parts: EngineParts, repositoryId: string): Promise<void> {
  const repository = await getRepository(parts.store.db, repositoryId)
  if (!repository) return
  const git = repositoryOf(parts, repositoryId)
  const head = await git.resolve(`refs/heads/${repository.defaultBranch}`)
  if (head === null) return
  let cursor = await deployCursor(parts.store.db, repositoryId)
  for (const commitOid of await stepsBetween(parts, repositoryId, cursor, head)) {
    await enactStep(parts, repositoryId, cursor, commitOid)
    cursor = commitOid
  }
}

async function enactStep(
  parts: EngineParts,
  repositoryId: string,
  previous: string | null,
  commitOid: string,
): Promise<void> {
  const usable = await usableCommit(parts.store.db, repositoryId)
  const before =
    usable === null
      ? await parts.snapshots.of(repositoryId, repositoryOf(parts, repositoryId), EMPTY_TREE)
      : await snapshotOf(parts, repositoryId, usable)
  const after = await snapshotOf(parts, repositoryId, commitOid)
  const { merging } = await parts.forges.of(repositoryId)
  const mr = await merging.mergedWith(repositoryId, commitOid)
  await parts.store.transaction(async (tx) => {
    const cursor = await deployCursor(tx, repositoryId)
    if (cursor !== previous) return
    const mergeSequence = mr?.mergeSequence ?? (await takeMergeSequence(tx, repositoryId))
    if (after.problems.length > 0) await recordUnusable(tx, repositoryId, commitOid, after)
    else {
      if (mr) await liftUndone(tx, mr)
      await orderRuns(tx, { repositoryId, commitOid, mergeSequence, mr, before, after })
      await setUsableCommit(tx, repositoryId, commitOid)
    }
    await setDeployCursor(tx, repositoryId, commitOid)
    const data = { commitOid, previous: previous ?? NO_OID, mergeSequence, mr: mr?.number ?? null }
    await appendAudit(tx, { actor: SYSTEM, action: 'deploy.ordered', subject: repositoryId, repositoryId, data })
  })
}

/** A configuration that cannot be read enacts nothing and destroys nothing. */
async function recordUnusable(tx: Tx, repositoryId: string, commitOid: string, after: Snapshot): Promise<void> {
  const data = { commitOid, problems: after.problems.map((problem) => `${problem.doing}: ${problem.why}`) }
  await appendAudit(tx, { actor: SYSTEM, action: 'deploy.unusable', subject: repositoryId, repositoryId, data })
}
