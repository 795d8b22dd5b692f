import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import type { Run } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { type EngineParts, SYSTEM } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { environmentRules } from '../stacks/environment-rules.ts'
import { systemUser } from '../system-user.ts'
import { rollBack } from './rollback.ts'

/** `onFailure: rollback`: a deployment that failed while it was being applied is taken back by a revert MR. */
export async function rollBackAutomatically(parts: EngineParts, run: Run): Promise<void> {
  const stack = await requireStack(parts.store.db, run.stackId)
  // Only what has touched the world needs to be taken back; a refused plan did not.
  if (stack.brokenByRunId !== run.id) return
  const rules = await environmentRules(parts, run.repositoryId, specOfRun(run).definition.environment)
  if (rules?.onFailure !== 'rollback') return
  // A rollback that fails in its turn is for people: going back ever further is no repair.
  const mr = run.mrId === null ? undefined : await getMergeRequest(parts.store.db, run.mrId)
  if (mr?.origin === 'rollback') return
  const author = await systemUser(parts.store)
  const reason = `Run ${run.id} failed: ${run.message ?? run.reason ?? 'see its log'}`
  try {
    await rollBack(parts, { target: { what: 'stack', stackId: stack.id }, reason, actorId: author.id })
  } catch (error) {
    if (!(error instanceof TrueupError) || error.retryable) throw error
    // A person was first, or this is done a second time.
    if (error.code === 'ROLLBACK_OPEN') return
    // Nothing to go back to, or a conflict: a person has to decide, and must find out why.
    const data = { runId: run.id, why: error.message }
    await parts.store.transaction((tx) =>
      appendAudit(tx, {
        actor: SYSTEM,
        action: 'rollback.impossible',
        subject: stack.id,
        repositoryId: run.repositoryId,
        data,
      }),
    )
  }
}
