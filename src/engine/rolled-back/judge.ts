import { brake } from '../../domain/drift/brake.ts'
import { describeForeign, foreignDestroys } from '../../domain/origins/foreign-destroys.ts'
import { originOf } from '../../domain/origins/origin.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { destroysOf } from '../../domain/plans/summary.ts'
import { VOTER, whyNot } from '../../domain/roles.ts'
import { roleIn } from '../../store/people/members.ts'
import { getUser } from '../../store/people/users.ts'
import { getMergeRequest, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { listReviews } from '../../store/changes/reviews.ts'
import { getRun, type Run } from '../../store/runs/runs.ts'
import { deedsAt } from '../../store/stacks/deeds.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import type { RollbackDetail } from './detail.ts'

/** Why a rollback's plan needs a person, whatever the fast lane says. */
export interface RollbackVerdict {
  message: string
  /** It destroys what the rolled-back change did not create: no longer a way back, but a change like any other. */
  foreign: boolean
}

/** Null where the plan takes back only what the rolled-back change made, within the stack's `maxDestroys`. */
export async function judgeRollback(
  parts: EngineParts,
  mr: MergeRequest,
  run: Run,
  plan: Plan,
): Promise<RollbackVerdict | null> {
  if (destroysOf(plan) === 0) return null
  const destroyed = plan.changes.filter(({ actions }) => actions.includes('delete') || actions.includes('replace'))
  const addresses = destroyed.map(({ address, previousAddress }) => previousAddress ?? address)
  const deeds = await deedsAt(parts.store.db, run.stackId, addresses)
  const runs = new Set(
    addresses.flatMap((address) => {
      const { runId, moves, replacing } = originOf(address, deeds)
      return [...(runId === null ? [] : [runId]), ...moves.map((move) => move.runId), ...replacing]
    }),
  )
  const [rolledBack, names] = [new Set<string>(), new Map<string, string>()]
  for (const id of runs) {
    const doer = await getRun(parts.store.db, id)
    if (!doer) continue
    if (await isRolledBack(parts, mr, doer)) rolledBack.add(id)
    const its = doer.mrId === null ? undefined : await getMergeRequest(parts.store.db, doer.mrId)
    if (its) names.set(id, `!${its.number}`)
  }
  const found = foreignDestroys(plan, {
    deeds,
    isRolledBack: (id) => rolledBack.has(id),
    nameOf: (id) => names.get(id) ?? `run ${id}`,
  })
  if (found.length > 0) return { message: describeForeign(found), foreign: true }
  const { held, message } = brake(plan, specOfRun(run).definition.drift.maxDestroys)
  return held ? { message: message.replace('healing', 'the rollback'), foreign: false } : null
}

/** Whether a run is of what the merge request takes back. */
async function isRolledBack(parts: EngineParts, mr: MergeRequest, doer: Run): Promise<boolean> {
  // What the rollback itself has made, when it is tried again, is no more its own than anybody's.
  if (doer.mrId === mr.id || doer.kind !== 'deploy') return false
  const { stacks, revertCommit, commitOid } = mr.originDetail as unknown as RollbackDetail
  if (revertCommit !== null && doer.commitOid === revertCommit) return true
  const entry = stacks.find(({ stackId }) => stackId === doer.stackId)
  if (!entry) return false
  if (entry.sinceRunId === undefined || entry.sinceRunId === null) return doer.commitOid === entry.badCommit
  if (doer.id <= entry.sinceRunId) return false
  // What was merged after the rollback was made stays.
  const git = repositoryOf(parts, mr.repositoryId)
  const [base] = (await git.commit(commitOid)).parents
  return base !== undefined && (base === doer.commitOid || (await git.isAncestor(doer.commitOid, base)))
}

/** A rollback exactly as Trueup made it: with a commit of somebody on top it is a change like any other. */
export function isRollback(mr: MergeRequest): boolean {
  if (mr.origin !== 'rollback') return false
  return (mr.originDetail as { commitOid?: string } | null)?.commitOid === mr.headOid
}

/** Rollbacks that this one takes back: what they put into quarantine does not stand in its way. */
export const undoneRollbacks = (mr: MergeRequest): Set<string> =>
  new Set(
    isRollback(mr)
      ? (mr.originDetail as unknown as RollbackDetail).stacks.flatMap(({ undoesMrId }) => undoesMrId ?? [])
      : [],
  )

/** The verdict on a deployment's fresh plan; null where it is of no rollback, or a person has approved the plan of the MR. */
export async function judgeDeployment(parts: EngineParts, run: Run, plan: Plan): Promise<RollbackVerdict | null> {
  const mr = run.mrId === null ? undefined : await getMergeRequest(parts.store.db, run.mrId)
  return mr && isRollback(mr) ? await judgeRollback(parts, mr, run, plan) : null
}

/** Whether a person said yes to this very plan: by a vote that saw it, or by a bypass. */
export async function personApproved(parts: EngineParts, run: Run): Promise<boolean> {
  const approved = run.approvedPlan as Plan | null
  if (run.mrId === null || approved === null) return false
  const mr = await getMergeRequest(parts.store.db, run.mrId)
  if (mr?.bypassReason) return true
  const { key } = specOfRun(run).definition
  for (const { verdict, droppedAt, digests, userId } of await listReviews(parts.store.db, run.mrId)) {
    if (verdict !== 'approve' || droppedAt !== null || digests[key] !== approved.digest) continue
    if (await mayStillVote(parts, run.repositoryId, userId)) return true
  }
  return false
}

/** A vote counts while its giver may give it, here as at the gate. */
async function mayStillVote({ store: { db } }: EngineParts, repositoryId: string, userId: string): Promise<boolean> {
  const user = await getUser(db, userId)
  if (!user) return false
  const role = await roleIn(db, repositoryId, userId)
  return whyNot({ kind: user.kind, disabled: user.disabledAt !== null, role }, VOTER) === null
}
