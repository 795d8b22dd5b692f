import { decideDeploy, type DeployDecision } from '../../domain/gates/deploy-decision.ts'
import { brake } from '../../domain/drift/brake.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import { completePlan } from '../../domain/plans/complete.ts'
import { compilePolicy, evaluatePolicies, type PolicyFacts } from '../../domain/policies/policy.ts'
import type { Decision, Params } from '../../domain/wire/worker-protocol.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Json } from '../../lib/json.ts'
import { getMergeRequest } from '../../store/changes/merge-requests.ts'
import { noteChange } from '../../store/open.ts'
import { getUser } from '../../store/people/users.ts'
import { findQuarantine } from '../../store/stacks/quarantine.ts'
import { type Run, type RunPatch, transitionRun } from '../../store/runs/runs.ts'
import { changedMeanwhile, OVERTAKEN } from '../drift/overtaken.ts'
import { recordDrift } from '../drift/record.ts'
import { endedAsRepeat } from '../drift/repeat.ts'
import { deployedWithoutChange } from '../deploy/record.ts'
import { placeholderFindings } from '../merge-requests/placeholders.ts'
import { previewsOf } from '../merge-requests/previews.ts'
import { untrustedFindings } from '../merge-requests/trust.ts'
import { type EngineParts, workerActor } from '../parts.ts'
import { judgeDeployment, personApproved } from '../rolled-back/judge.ts'
import { specOfRun } from '../run-spec.ts'
import { followUpIfEnded, followUpRun, orderOutcome } from '../run-tasks.ts'
import { environmentRules } from '../stacks/environment-rules.ts'
import { takePlaces } from '../stacks/places.ts'
import { rulesSnapshot } from '../revisions/readable.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { refreshStack } from '../stacks/status.ts'
import { appliedOf } from '../applied.ts'
import { boundedPatches, boundedResults } from './bounds.ts'
import { applyDecision, heldByWindow } from './grant.ts'
import { withInstability } from './instability.ts'

/** Differences to what was approved that are kept; the plan itself has them all. */
const MAX_DIFFERENCES = 1_000

/** Takes a plan from the worker that holds the run, stores it and says what to do with it. */
export async function planReceived(parts: EngineParts, run: Run, params: Params<'plan'>): Promise<Decision> {
  const spec = specOfRun(run)
  const told = {
    ...params.plan,
    findings: [...untrustedFindings(spec), ...placeholderFindings(spec), ...params.plan.findings],
  }
  const completed = completePlan(told, {
    desiredDigest: run.desiredDigest,
    ignore: spec.definition.ignore,
    unstable: spec.definition.unstable,
    cause: run.kind === 'drift' || (run.kind === 'heal' && !spec.request) ? 'drift' : spec.cause,
  })
  if (run.state === 'applying') return await sayAgain(parts, run, completed)
  if (run.cancelRequestedAt !== null) return await cancel(parts, run)
  const plan = await withInstability(parts.store.db, run, completed)
  const patch: RunPatch = { plan, checks: boundedResults(params.checks) as unknown as Json }
  if (run.kind === 'preview') return await endReading(parts, run, patch)
  if (run.kind === 'drift') {
    const patches = params.patches && boundedPatches(params.patches, spec.paths)
    if (patches) patch.result = { patches: patches as unknown as Json }
    await takePlaces(parts, await requireStack(parts.store.db, run.stackId), run, plan.places ?? [])
    return await endReading(parts, run, patch, plan)
  }
  const taken = await takePlaces(parts, await requireStack(parts.store.db, run.stackId), run, plan.places ?? [])
  if (taken !== null) return await refuseTaken(parts, run, patch, taken)
  const decision = await decide(parts, run, plan)
  if (decision.action === 'apply') {
    // A freeze or the end of a window while it was planned: it is planned again when it may be applied.
    const stack = await requireStack(parts.store.db, run.stackId)
    if (await heldByWindow(parts, run, stack)) {
      await parts.store.transaction((tx) => refreshStack(tx, run.stackId))
      return { action: 'stop', reason: 'window_closed' }
    }
  }
  return await enact(parts, run, patch, plan, decision)
}

/** Nothing is applied where another stack is found: the run ends as one that was refused before it began. */
async function refuseTaken(parts: EngineParts, run: Run, patch: RunPatch, taken: TrueupError): Promise<Decision> {
  const reason = 'place_taken'
  await parts.store.transaction(async (tx) => {
    await transitionRun(tx, {
      runId: run.id,
      fence: run.fence,
      from: ['planning'],
      to: 'failed',
      reason,
      message: taken.message,
      error: taken.toJSON(),
      patch,
      actor: actorOf(run),
    })
    await followUpRun(tx, run)
    await refreshStack(tx, run.stackId)
  })
  return { action: 'stop', reason }
}

/** The answer to this very plan was lost on its way: it is the same again. */
async function sayAgain(parts: EngineParts, run: Run, plan: Plan): Promise<Decision> {
  if (run.planDigest === plan.digest && appliedOf(run) === null) {
    return await applyDecision(parts, run)
  }
  throw new TrueupError('CONFLICT', { doing: 'taking a plan', why: 'the run is applying another one already' })
}

/** Nothing is applied that somebody has asked to stop, however late the word reaches the worker. */
async function cancel(parts: EngineParts, run: Run): Promise<Decision> {
  const reason = run.cancelReason ?? 'canceled'
  await parts.store.transaction(async (tx) => {
    await transitionRun(tx, { runId: run.id, fence: run.fence, to: 'canceled', reason, actor: actorOf(run) })
    await followUpRun(tx, run)
    await refreshStack(tx, run.stackId)
  })
  return { action: 'stop', reason }
}

/** Previews and drift checks end with their plan. */
async function endReading(parts: EngineParts, run: Run, patch: RunPatch, drift?: Plan): Promise<Decision> {
  const reason = await parts.store.transaction(async (tx) => {
    const overtaken = drift !== undefined && (await changedMeanwhile(tx, run))
    if (drift && !overtaken && (await endedAsRepeat(tx, run, drift))) return 'unchanged'
    await transitionRun(tx, {
      runId: run.id,
      fence: run.fence,
      to: 'succeeded',
      from: ['planning'],
      patch,
      actor: actorOf(run),
      ...(overtaken && { reason: OVERTAKEN, message: 'the stack was being changed while it was checked' }),
    })
    if (drift && !overtaken) await recordDrift(tx, run, drift)
    await followUpRun(tx, run)
    await refreshStack(tx, run.stackId)
    return overtaken ? OVERTAKEN : 'planned'
  })
  return { action: 'stop', reason }
}

async function decide(parts: EngineParts, run: Run, plan: Plan): Promise<DeployDecision> {
  const { definition, afterLostApply, request } = specOfRun(run)
  const snapshot = await rulesSnapshot(parts, run.repositoryId)
  const rules = await environmentRules(parts, run.repositoryId, definition.environment)
  const policies = evaluatePolicies((snapshot?.config?.policies ?? []).map(compilePolicy), {
    plan,
    stack: { name: definition.name, path: definition.path, driver: definition.driver },
    // An environment that is no longer configured is treated as the strictest there is.
    environment: { name: definition.environment, tier: rules?.tier ?? 'production' },
    mr: await mrFacts(parts, run),
    run: { kind: run.kind },
  })
  // What a person asks for beside Git needs the approvals of a deployment.
  const kind = request ? 'deploy' : (run.kind as 'deploy' | 'heal' | 'destroy')
  const held = kind === 'heal' ? brake(plan, definition.drift.maxDestroys) : { held: false, message: '' }
  const rollback = await judgeDeployment(parts, run, plan)
  return decideDeploy({
    kind,
    plan,
    approved: run.approvedPlan as Plan | null,
    rollbackDestroys: rollback?.message ?? null,
    approvedByPerson: rollback !== null && (await personApproved(parts, run)),
    unplanned: run.approvedPlan === null ? await whyUnplanned(parts, run) : null,
    approvedHere: run.approvedDigest === plan.digest,
    protected: (specOfRun(run).pastGate ?? false) || (rules?.protected ?? true),
    unplannable: rules?.unplannable ?? 'block',
    policies,
    brake: held.held ? held.message : null,
    afterLostApply: afterLostApply ?? false,
    quarantined:
      run.kind !== 'destroy' &&
      (await findQuarantine(parts.store.db, run.stackId, specOfRun(run).sourceDigest)) !== undefined,
  })
}

/** What kept the merge request from showing a plan of this stack; null where that is not known. */
async function whyUnplanned(parts: EngineParts, run: Run): Promise<string | null> {
  const mr = run.mrId === null ? undefined : await getMergeRequest(parts.store.db, run.mrId)
  const preview = mr && previewsOf(mr)[specOfRun(run).definition.key]
  if (!mr || !preview?.provisional) return null
  const { awaits = [], note } = preview
  const why = awaits.length > 0 ? `before ${awaits.join(', ')} ${awaits.length === 1 ? 'was' : 'were'} deployed` : note
  return `!${mr.number} could not show this plan${why ? ` (${why})` : ''}: nobody has approved it yet`
}

/** The merge request that a run enacts; null for drift, heals, and what a person orders beside Git. */
async function mrFacts(parts: EngineParts, run: Run): Promise<PolicyFacts['mr']> {
  const mr = run.mrId === null ? undefined : await getMergeRequest(parts.store.db, run.mrId)
  if (!mr) return null
  const author = await getUser(parts.store.db, mr.authorId)
  const { title, draft, sourceBranch, targetBranch } = mr
  return { author: author?.name ?? '', title, draft, sourceBranch, targetBranch }
}

async function enact(
  parts: EngineParts,
  run: Run,
  patch: RunPatch,
  plan: Plan,
  decision: DeployDecision,
): Promise<Decision> {
  const base = { runId: run.id, fence: run.fence, from: ['planning' as const], patch, actor: actorOf(run) }
  switch (decision.action) {
    case 'apply': {
      const order = await applyDecision(parts, run)
      const isShown = run.mrId !== null && (await parts.forges.of(run.repositoryId)).can.deployments === true
      await parts.store.transaction(async (tx) => {
        await transitionRun(tx, { ...base, to: 'applying', reason: decision.why })
        await refreshStack(tx, run.stackId)
        if (isShown) await orderOutcome(tx, run.mrId!)
      })
      return order
    }
    case 'nothing':
      await parts.store.transaction(async (tx) => {
        const done = await transitionRun(tx, { ...base, to: 'succeeded', reason: 'no_changes' })
        await deployedWithoutChange(tx, parts.keys, done, plan)
        await followUpRun(tx, run)
        await refreshStack(tx, run.stackId)
      })
      return { action: 'stop', reason: 'no_changes' }
    case 'wait':
      await parts.store.transaction(async (tx) => {
        const differences = decision.differences.slice(0, MAX_DIFFERENCES)
        const result = { differences: differences as unknown as Json, differenceCount: decision.differences.length }
        const waits = { ...base, patch: { ...patch, result } }
        const moved = await transitionRun(tx, {
          ...waits,
          to: 'awaiting_approval',
          reason: decision.reason,
          message: decision.message,
        })
        await followUpIfEnded(tx, moved)
        await refreshStack(tx, run.stackId)
        if (run.mrId) {
          await orderOutcome(tx, run.mrId)
          noteChange(tx, { topic: 'mr', id: run.mrId, repositoryId: run.repositoryId })
        }
      })
      return { action: 'stop', reason: decision.reason }
    case 'refuse':
      await parts.store.transaction(async (tx) => {
        await transitionRun(tx, { ...base, to: 'failed', reason: decision.reason, message: decision.message })
        await followUpRun(tx, run)
        await refreshStack(tx, run.stackId)
      })
      return { action: 'stop', reason: decision.reason }
  }
}

const actorOf = (run: Run): string => workerActor(run.workerId ?? '')
