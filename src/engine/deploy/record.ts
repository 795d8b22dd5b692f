import { covering } from '../../domain/plans/coverage.ts'
import type { ApplyResult, Plan, PlanSummary } from '../../domain/plans/plan.ts'
import type { RunRequest } from '../../domain/runs/run-request.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import type { Queries, Tx } from '../../store/database/context.ts'
import { createDeployment, type Deployment, findDeploymentByRun } from '../../store/stacks/deployments.ts'
import { patchDriftRecord, recordHeals, standingDrift } from '../../store/stacks/drift.ts'
import type { DataKeys } from '../../store/database/keys.ts'
import { releasePlaces } from '../../store/stacks/places.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { nowOf } from '../../store/open.ts'
import type { Run } from '../../store/runs/runs.ts'
import { patchStack, requireStack, type Stack } from '../../store/stacks/stacks.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appliedOf } from '../applied.ts'
import { deployedLook } from '../stacks/observed.ts'
import { outputsOfStack, recordOutputs } from '../stacks/outputs.ts'
import { SYSTEM } from '../parts.ts'
import { specOfRun } from '../run-spec.ts'
import { recordDeedsOf } from './record-deeds.ts'

/** First drift check after a change: soon, because a change is when things go wrong. Milliseconds. */
const CHECK_AFTER_CHANGE_MS = 5_000

/** Right after an apply: outputs are facts of the world now, whatever verification will say. */
export async function recordApplied(
  tx: Queries,
  keys: DataKeys,
  run: Run,
  applied: Pick<ApplyResult, 'outputs' | 'status' | 'resources'> & { untouched?: boolean },
): Promise<void> {
  if (applied.untouched !== true) await recordDeedsOf(tx, run, applied.resources)
  if (applied.status === 'applied' && !specOfRun(run).destroy)
    await recordOutputs(tx, keys, run.stackId, applied.outputs)
}

/** A fresh plan was empty: reality is what the commit says, so it is deployed. */
export async function deployedWithoutChange(tx: Tx, keys: DataKeys, run: Run, plan: Plan): Promise<void> {
  if (!specOfRun(run).destroy && Object.keys(plan.outputs).length > 0) {
    // Some tools tell their outputs only when they apply: what a plan does not name is as it was.
    const known = await outputsOfStack(tx, keys, run.stackId)
    // Of a sensitive one a plan has only the hash: what is known of it stays.
    const told = Object.entries(plan.outputs).filter(([, output]) => !output.sensitive)
    await recordOutputs(tx, keys, run.stackId, { ...known, ...Object.fromEntries(told) })
  }
  await recordDeployment(tx, run)
}

/** A successful deploy, heal or destroy: what is deployed, what is healed, and the line in the history. */
export async function recordDeployment(tx: Tx, run: Run): Promise<void> {
  const stack = await recordInHistory(tx, run, 'succeeded')
  if (stack === null) return
  const spec = specOfRun(run)
  await closeDrift(tx, run)
  await releasePlaces(tx, stack.id, spec.destroy ? undefined : run.id)
  if (spec.destroy) {
    const gone = {
      deployedCommit: null,
      deployedDigest: null,
      deployedConfig: null,
      deployedPool: null,
      nextDriftAt: null,
      brokenByRunId: null,
      observedCoverage: null,
      observedChecked: null,
      observedUnchecked: null,
    }
    // Wanted again meanwhile: a deployment of it is on its way.
    await patchStack(tx, stack.id, { ...gone, ...(stack.desiredCommit === null && { removedAt: nowOf(tx) }) })
    await appendAudit(tx, {
      actor: SYSTEM,
      action: 'stack.destroyed',
      subject: stack.id,
      repositoryId: stack.repositoryId,
    })
    return
  }
  const deployed = {
    deployedCommit: run.commitOid,
    deployedDigest: run.desiredDigest,
    deployedPool: spec.definition.pool,
    deployedConfig: { ...spec, afterLostApply: false, predicted: null } as unknown as JsonObject,
    deployedAt: nowOf(tx),
  }
  await patchStack(tx, stack.id, {
    ...(run.kind === 'heal' ? { deployedAt: nowOf(tx) } : deployed),
    brokenByRunId: null,
    ...deployedLook(run),
    // One that left Git while it was being deployed is an orphan now, and listed as such.
    ...(stack.desiredCommit === null
      ? { removedAt: null, nextDriftAt: null }
      : { nextDriftAt: nowOf(tx) + CHECK_AFTER_CHANGE_MS }),
    ...(run.kind === 'deploy' && { healBackoff: null }),
  })
}

/**
 * Drift that a change has overwritten: healed by a heal run; a deploy that puts Git's value back heals it as well, and one
 * that found nothing to do because Git has followed reality has codified it. What the change neither looked at nor wrote
 * stays as it is.
 */
async function closeDrift(tx: Queries, run: Run): Promise<void> {
  const healed: { address: string; attribute: string }[] = []
  const state = (await hasCodified(tx, run)) ? 'codified' : 'healed'
  const { destroy, request } = specOfRun(run)
  const kept = destroy ? [] : ['accepted']
  const touched = request && touchedBy(run, request)
  const isUnseen = covering((run.plan as Plan | null)?.coverage.unchecked ?? [{ address: '*' }])
  const done = new Set(appliedOf(run)?.resources.flatMap((each) => (each.status === 'done' ? [each.address] : [])))
  for (const record of await standingDrift(tx, run.stackId)) {
    if (kept.includes(record.state) || touched?.has(record.address) === false) continue
    // Neither looked at nor written: how it is, is as unknown as before.
    if (!destroy && isUnseen(record.address) && !done.has(record.address)) continue
    const healCount = record.healCount + (run.kind === 'heal' ? 1 : 0)
    await patchDriftRecord(tx, record.id, { state, closedAt: nowOf(tx), healCount, runId: run.id })
    healed.push({ address: record.address, attribute: record.attribute })
  }
  if (run.kind === 'heal' && !request) await recordHeals(tx, run.stackId, healed)
}

/** What a run that was to look at a part has overwritten; undefined where it looked at everything. */
function touchedBy(run: Run, { targets, state }: RunRequest): Set<string> | undefined {
  if (state !== undefined) return new Set()
  return targets.length === 0 ? undefined : new Set((run.plan as Plan | null)?.changes.map(({ address }) => address))
}

async function hasCodified(tx: Queries, run: Run): Promise<boolean> {
  if (run.kind !== 'deploy' || run.mrId === null) return false
  return (await getMergeRequest(tx, run.mrId))?.origin === 'codify'
}

/**
 * A run that ended badly after it began to apply: the stack is neither at the old commit nor at the new one, and nothing
 * heals it towards either until a deploy succeeds.
 */
export async function recordBroken(tx: Tx, run: Run, applied: Pick<ApplyResult, 'resources'> | null): Promise<void> {
  const stack = await requireStack(tx, run.stackId)
  // One that left Git while it was deployed for the first time counted as gone; what was made of it is not.
  await patchStack(tx, stack.id, { brokenByRunId: run.id, ...(stack.desiredCommit === null && { removedAt: null }) })
  if (applied === null) await recordDeedsOf(tx, run, null)
  await recordFailure(tx, run, applied, 'stack.broken')
}

/**
 * A heal whose apply failed: there is one commit to go to, the deployed one, so the stack is not between two. What is left
 * is drift, which a check soon finds and the next heal, after its backoff, plans afresh.
 */
export async function recordFailedHeal(
  tx: Tx,
  run: Run,
  applied: Pick<ApplyResult, 'resources'> | null,
): Promise<void> {
  await patchStack(tx, run.stackId, { nextDriftAt: nowOf(tx) + CHECK_AFTER_CHANGE_MS })
  await recordFailure(tx, run, applied, 'stack.heal_failed')
}

/** The line in the history, and in the audit what was done. */
async function recordFailure(
  tx: Tx,
  run: Run,
  applied: Pick<ApplyResult, 'resources'> | null,
  action: 'stack.broken' | 'stack.heal_failed',
): Promise<void> {
  const stack = await recordInHistory(tx, run, 'failed')
  if (stack === null) return
  const done =
    applied?.resources.filter((resource) => resource.status === 'done').map((resource) => resource.address) ?? []
  const data = { runId: run.id, done: done.slice(0, 200), doneCount: done.length, known: applied !== null }
  await appendAudit(tx, {
    actor: SYSTEM,
    action,
    subject: stack.id,
    repositoryId: stack.repositoryId,
    data,
  })
}

/** The run's line in the history of its stack; null where it has one already, or changes nothing. */
async function recordInHistory(tx: Queries, run: Run, status: Deployment['status']): Promise<Stack | null> {
  if (run.kind === 'preview' || run.kind === 'drift') return null
  if (await findDeploymentByRun(tx, run.id)) return null
  const stack = await requireStack(tx, run.stackId)
  await createDeployment(tx, {
    stackId: stack.id,
    repositoryId: stack.repositoryId,
    runId: run.id,
    mrId: run.mrId,
    kind: run.kind,
    commitOid: run.commitOid,
    previousCommitOid: stack.deployedCommit,
    desiredDigest: specOfRun(run).sourceDigest,
    status,
    summary: (run.planSummary ?? { create: 0, update: 0, delete: 0, replace: 0, other: 0 }) as PlanSummary,
    actorId: run.approvedById,
    finishedAt: nowOf(tx),
  })
  return stack
}
