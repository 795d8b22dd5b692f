import { EMPTY_TREE, NO_OID } from '../../git/repository.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getRepository, takeMergeSequence } from '../../store/changes/repositories.ts'
import type { Tx } from '../../store/database/context.ts'
import { type EngineParts, repositoryOf, SYSTEM } from '../parts.ts'
import { snapshotOf } from '../revisions/branch.ts'
import { liftUndone } from '../rolled-back/quarantine.ts'
import {
  begunStep,
  deployCursor,
  heldRulesCommit,
  setBegunStep,
  setDeployCursor,
  setHeldRulesCommit,
  setUsableCommit,
  usableCommit,
} from '../revisions/cursor.ts'
import { orderRuns } from './order-runs.ts'
import { heldAfter, unapprovedEnvironments } from './past-gate.ts'
import { type Piece, writePieces } from './pieces.ts'
import { judgeLanded, setSignedUpTo } from '../signatures/history.ts'
import type { Step } from './step.ts'
import { type Landing, wholeMerges } from './whole-merges.ts'
import { stepsBetween } from '../revisions/steps.ts'

/**
 * Enacts what the default branch has gained since the last time, merge by merge in their order. The cursor moves in the
 * transaction that writes the last of a merge's runs. A merge of many stacks is written in several, so that nobody waits
 * for all of them; which one is begun stands beside the cursor, and after a kill it is finished before anything else. So
 * nothing is enacted twice and nothing forgotten.
 */
export async function deployBranch(parts: EngineParts, repositoryId: string): Promise<void> {
  const repository = await getRepository(parts.store.db, repositoryId)
  if (!repository) return
  const git = repositoryOf(parts, repositoryId)
  const head = await git.resolve(`refs/heads/${repository.defaultBranch}`)
  if (head === null) return
  let cursor = await deployCursor(parts.store.db, repositoryId)
  const begun = await begunStep(parts.store.db, repositoryId)
  if (begun) {
    const { commitOid } = begun
    const { merging } = await parts.forges.of(repositoryId)
    await enactStep(parts, repositoryId, cursor, { commitOid, mr: await merging.mergedWith(repositoryId, commitOid) })
    cursor = commitOid
  }
  const steps = await stepsBetween(parts, repositoryId, cursor, head)
  for (const landing of await wholeMerges(parts, repositoryId, cursor, steps)) {
    await enactStep(parts, repositoryId, cursor, landing)
    cursor = landing.commitOid
  }
}

async function enactStep(
  parts: EngineParts,
  repositoryId: string,
  previous: string | null,
  { commitOid, mr }: Landing,
): Promise<void> {
  const usable = await usableCommit(parts.store.db, repositoryId)
  const before =
    usable === null
      ? await parts.snapshots.of(repositoryId, repositoryOf(parts, repositoryId), EMPTY_TREE)
      : await snapshotOf(parts, repositoryId, usable)
  const after = await snapshotOf(parts, repositoryId, commitOid)
  const begun = await begunStep(parts.store.db, repositoryId)
  const held = await heldRulesCommit(parts.store.db, repositoryId)
  const rules = held === null ? before : await snapshotOf(parts, repositoryId, held)
  const unapproved = await unapprovedEnvironments(parts, { repositoryId, mr, before, rules, after })
  const signedUpTo = await judgeLanded(parts, { repositoryId, commitOid, previous: usable, before })
  const step = {
    repositoryId,
    commitOid,
    mr,
    unapproved,
    signedUpTo,
    rulesAt: after.problems.length > 0 ? held : heldAfter({ rules, after }, unapproved, held ?? usable),
    before,
    after,
    resumed: begun?.commitOid === commitOid,
    mergeSequence: 0,
  }
  const pieces = after.problems.length > 0 ? [unusable(step)] : [...begin(step), ...orderRuns(step)]
  let isFirst = true
  await writePieces(parts.store, [...pieces, end(step, previous)], async (tx, { isLast }) => {
    if ((await deployCursor(tx, repositoryId)) !== previous) return false
    if (isFirst) {
      isFirst = false
      step.mergeSequence = begun?.mergeSequence ?? mr?.mergeSequence ?? (await takeMergeSequence(tx, repositoryId))
      if (!isLast) await setBegunStep(tx, repositoryId, { commitOid, mergeSequence: step.mergeSequence })
    }
    return true
  })
}

/** What was taken back is wanted again before anything is ordered for it. */
const begin = (step: Step): Piece[] => {
  const { mr } = step
  return mr ? [{ stacks: 0, write: (tx) => liftUndone(tx, mr) }] : []
}

const end = (step: Step, previous: string | null): Piece => ({
  stacks: 0,
  async write(tx) {
    const { repositoryId, commitOid, mergeSequence, mr, after, signedUpTo } = step
    if (after.problems.length === 0) {
      await setUsableCommit(tx, repositoryId, commitOid)
      await setSignedUpTo(tx, repositoryId, signedUpTo)
    }
    await setDeployCursor(tx, repositoryId, commitOid)
    await holdRules(tx, step)
    if (await begunStep(tx, repositoryId)) await setBegunStep(tx, repositoryId, null)
    const data = { commitOid, previous: previous ?? NO_OID, mergeSequence, mr: mr?.number ?? null }
    await appendAudit(tx, { actor: SYSTEM, action: 'deploy.ordered', subject: repositoryId, repositoryId, data })
  },
})

async function holdRules(tx: Tx, { repositoryId, commitOid, rulesAt }: Step): Promise<void> {
  if ((await heldRulesCommit(tx, repositoryId)) === rulesAt) return
  await setHeldRulesCommit(tx, repositoryId, rulesAt)
  const data = { commitOid, rulesAt }
  await appendAudit(tx, { actor: SYSTEM, action: 'deploy.rules_held', subject: repositoryId, repositoryId, data })
}

/** A configuration that cannot be read enacts nothing and destroys nothing. */
const unusable = ({ repositoryId, commitOid, after }: Step): Piece => ({
  stacks: 0,
  async write(tx) {
    const data = { commitOid, problems: after.problems.map((problem) => `${problem.doing}: ${problem.why}`) }
    await appendAudit(tx, { actor: SYSTEM, action: 'deploy.unusable', subject: repositoryId, repositoryId, data })
  },
})
