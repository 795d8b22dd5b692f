import type { GateChange } from '../../domain/gates/changes.ts'
import { evaluateGate, type GateOutcome } from '../../domain/gates/gate.ts'
import type { GateEnvironment, GateFacts, GateStack } from '../../domain/gates/facts.ts'
import { failedOf } from '../../domain/plans/coverage.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import {
  compilePolicy,
  evaluatePolicies,
  type CompiledPolicy,
  type PolicyResult,
} from '../../domain/policies/policy.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { deployWindow } from '../../domain/windows/windows.ts'
import type { EnvironmentRules } from '../../domain/stacks/environment.ts'
import { digestOf } from '../../lib/digest.ts'
import { canonicalJson } from '../../lib/json.ts'
import { listComments } from '../../store/changes/comments.ts'
import { activeFreezes } from '../../store/stacks/freezes.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { listReviews, type Review } from '../../store/changes/reviews.ts'
import { getRuns, type Run } from '../../store/runs/runs.ts'
import { listQuarantine, type Quarantined } from '../../store/stacks/quarantine.ts'
import { getUser } from '../../store/people/users.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { isRollback, judgeRollback, undoneRollbacks } from '../rolled-back/judge.ts'
import { toldOf } from './groups.ts'
import { specOfRun } from '../run-spec.ts'
import { signatureFacts } from '../signatures/judge.ts'
import { rulesInForce } from '../revisions/readable.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { placesTaken } from '../stacks/places.ts'
import { type PreviewRef, previewsOf, runsOf } from './previews.ts'
import { makersOf, type MakersFound } from './makers.ts'
import { ownedFiles, strayOwned } from './owned-files.ts'
import { ownersProblems } from './owner-accounts.ts'
import { votesOf } from './voters.ts'
import { ruleChanges } from './rule-changes.ts'
import { rulesFor } from './rules.ts'

export interface JudgedStack {
  key: StackKey
  environment: string
  name: string
  driver: string
  preview: PreviewRef
  run: Run | null
  policies: PolicyResult[]
}

/** An MR as the gate sees it at this moment. */
export interface Judgement {
  outcome: GateOutcome
  stacks: JudgedStack[]
  reviews: Review[]
  /** stack key → digest that an approval given now would bind to. */
  digests: { [key: StackKey]: string }
  /** Owned file → content that an approval given now would bind to. */
  files: { [path: string]: string }
  makers: MakersFound
  /** Standing quarantines that this rollback has put, or that stand in its way. */
  quarantine: Quarantined[]
  rules: Map<string, EnvironmentRules>
}

/** What an MR is judged by where that is not what its branches said when it was planned. */
export interface JudgedBy {
  target: Snapshot
  result: Snapshot
}

/** Judges an MR by the rules in force on its target branch. Reads facts only; nothing is written. */
export async function judge(parts: EngineParts, mr: MergeRequest, by?: JudgedBy): Promise<Judgement> {
  const git = repositoryOf(parts, mr.repositoryId)
  const place = { repositoryId: mr.repositoryId, branch: mr.targetBranch }
  const inForce = by
    ? { snapshot: by.target, standIn: null, heldAt: null }
    : await rulesInForce(parts, place, mr.targetOid)
  const { snapshot: target, standIn, heldAt } = inForce
  const merged = mr.mergeTreeOid === null ? target : await parts.snapshots.of(mr.repositoryId, git, mr.mergeTreeOid)
  const result = by?.result ?? merged
  const author = await getUser(parts.store.db, mr.authorId)
  const policies = (target.config?.policies ?? []).map(compilePolicy)
  const rules = new Map<string, EnvironmentRules>()
  const digests: { [key: StackKey]: string } = {}
  const gateStacks: GateStack[] = []
  const stacks: JudgedStack[] = []
  /** Environments in which a rollback is a change like any other. */
  const slow = new Set<string>()

  const previews = previewsOf(mr)
  const runs = await getRuns(parts.store.db, runsOf(previews))
  const undone = undoneRollbacks(mr)
  const standing = await listQuarantine(parts.store.db, { repositoryId: mr.repositoryId })
  const quarantine = standing.filter(({ mrId }) => mrId === null || !undone.has(mrId))
  const inTheWay = new Set<string>()

  for (const [key, preview] of Object.entries(previews)) {
    const source = result.stacks.get(key) ?? target.stacks.get(key)
    if (!source) continue
    const { environment, name, driver } = source.definition
    rules.set(environment, rulesFor(environment, target, result))
    const run = (preview.runId !== null && runs.get(preview.runId)) || null
    const results = run?.plan ? policiesOf(policies, run, rules.get(environment)!, mr, author?.name ?? '') : []
    stacks.push({ key, environment, name, driver, preview, run, policies: results })
    const unplanned = preview.runId === null && preview.settled
    const digest = digestFor(preview, run, source.sourceDigest)
    if (digest !== null) digests[key] = digest
    const verdict = run?.plan && isRollback(mr) ? await judgeRollback(parts, mr, run, run.plan as Plan) : null
    if (verdict?.foreign) slow.add(environment)
    const quarantined = preview.how === 'removed' ? undefined : quarantineOf(quarantine, run, source.sourceDigest)
    if (quarantined) inTheWay.add(quarantined.id)
    gateStacks.push({
      key,
      environment,
      name,
      preview: unplanned
        ? { state: 'succeeded', message: preview.note }
        : run && { state: run.state, message: run.error ? `${run.error.doing}: ${run.error.why}` : run.message },
      digest,
      provisional: preview.provisional,
      awaits: preview.awaits ?? [],
      ...(preview.held && { held: preview.held }),
      ...(preview.held === 'executable' && { brings: preview.note ?? '' }),
      ...(run && specOfRun(run).untrusted && { untrusted: true }),
      ...(preview.how === 'removed' && !unplanned && { destroys: true }),
      ...(quarantined && { quarantined: quarantined.reason }),
      unplannable: run?.plan ? failedOf(run.plan as Plan) : [],
      ...(verdict && { rollbackDestroys: verdict.message }),
      policies: results,
      checks: (run?.checks ?? []) as { name: string; ok: boolean }[],
    })
  }
  const changes = ruleChanges(target, result)
  for (const { environment, key, digest } of changes) {
    rules.set(environment, rulesFor(environment, target, result))
    digests[key] = digest
  }

  const planned = stacks
    .filter(({ preview }) => preview.how !== 'removed')
    .map(({ key, run }) => ({ key, plan: run?.plan as Plan | null }))
  const taken = mr.state === 'open' ? await placesTaken(parts.store.db, mr.repositoryId, result, planned) : []

  const reviews = await listReviews(parts.store.db, mr.id)
  const makers = await makersOf(parts, mr)
  const owned = await ownedFiles(parts, mr, target)
  const facts: GateFacts = {
    state: mr.state,
    draft: mr.draft,
    conflicts: (mr.conflicts as string[] | null) ?? [],
    problems: [...(mr.problems ?? []), ...taken, ...(makers.problem ? [makers.problem] : [])],
    ...(standIn && mr.state === 'open' && { unreadableTarget: { branch: mr.targetBranch, ...standIn } }),
    ...(heldAt !== null && mr.state === 'open' && { heldRules: { branch: mr.targetBranch, commitOid: heldAt } }),
    previewed: mr.previews !== null,
    stacks: gateStacks,
    environments: await environmentsOf(parts, mr, { rules, changes, slow }),
    signatures: await signatureFacts(parts, mr, target),
    unresolvedThreads: await unresolvedThreads(parts, mr.id),
    makers,
    owned,
    strayOwned: strayOwned(owned, rules, target, result),
    ownersProblems: await ownersProblemsOf(parts, mr, target, result),
    ...(await votesOf(parts.store.db, mr.repositoryId, reviews)),
  }
  const files = Object.fromEntries(owned.map(({ path, content }) => [path, content]))
  const named = standing.filter(({ id, mrId }) => mrId === mr.id || inTheWay.has(id))
  return { outcome: evaluateGate(facts), stacks, reviews, digests, files, makers, quarantine: named, rules }
}

/** Told where code owners are asked for, and to whoever touches the file. */
async function ownersProblemsOf(
  parts: EngineParts,
  mr: MergeRequest,
  target: Snapshot,
  result: Snapshot,
): Promise<GateFacts['ownersProblems']> {
  const isAsked = Object.values(target.config?.environments ?? {}).some(({ approvals }) => approvals?.codeOwners)
  const isTouched = canonicalJson(target.owners) !== canonicalJson(result.owners)
  const of = (snapshot: Snapshot) => ownersProblems(parts.store.db, mr.repositoryId, snapshot.owners)
  const standing = isAsked ? await of(target) : []
  if (!isTouched) return { standing, brought: [] }
  const known = new Set((isAsked ? standing : await of(target)).map(({ message }) => message))
  return { standing, brought: (await of(result)).filter(({ message }) => !known.has(message)) }
}

/**
 * What an approval of a stack binds to; null while its plan is being made or is missing. Where there is none to be had before
 * the deployment, it binds to the source and to what becomes of the stack: kept, orphaned, planned later. The plan of its
 * deployment then waits for an approval of its own.
 */
function digestFor(preview: PreviewRef, run: Run | null, sourceDigest: string): string | null {
  const { how, note, settled, provisional } = preview
  if (preview.runId === null) return settled ? digestOf([how, note, sourceDigest]) : null
  if (run?.state === 'succeeded') return run.planDigest ?? null
  return provisional && run?.state === 'failed' ? digestOf([how, 'planned at its deployment', sourceDigest]) : null
}

/** The quarantine of the state that this preview would bring. */
const quarantineOf = (
  standing: readonly Quarantined[],
  run: Run | null,
  sourceDigest: string,
): Quarantined | undefined =>
  standing.find((entry) => entry.stackId === run?.stackId && entry.desiredDigest === sourceDigest)

function policiesOf(
  policies: readonly CompiledPolicy[],
  run: Run,
  rules: EnvironmentRules,
  mr: MergeRequest,
  author: string,
): PolicyResult[] {
  const { definition } = specOfRun(run)
  const { title, draft, sourceBranch, targetBranch } = mr
  return evaluatePolicies(policies, {
    plan: run.plan as Plan,
    stack: { name: definition.name, path: definition.path, driver: definition.driver },
    environment: { name: rules.name, tier: rules.tier },
    mr: { author, title, draft, sourceBranch, targetBranch },
    run: { kind: run.kind },
  })
}

async function environmentsOf(
  parts: EngineParts,
  mr: MergeRequest,
  known: {
    rules: ReadonlyMap<string, EnvironmentRules>
    changes: readonly GateChange[]
    slow: ReadonlySet<string>
  },
): Promise<GateEnvironment[]> {
  const at = parts.store.clock.now()
  const environments: GateEnvironment[] = []
  for (const [name, rule] of known.rules) {
    const freezes = await activeFreezes(parts.store.db, { repositoryId: mr.repositoryId, environment: name })
    const window = deployWindow({ windows: rule.windows, freezes, at })
    const gateChange = known.changes.find((change) => change.environment === name)
    // Going back to a state is quick, going back to laxer rules is not.
    const isFast = isRollback(mr) && !gateChange && !known.slow.has(name)
    const required = isFast ? fastLane(rule) : rule.approvals.required
    const { unplannable, stepUpMs } = rule
    environments.push({
      name,
      rules: { ...rule.approvals, required, from: await toldOf(parts.store.db, mr.repositoryId, rule.approvals.from) },
      unplannable,
      stepUpMs,
      window,
      ...(gateChange && { gateChange }),
    })
  }
  return environments
}

/** What a rollback needs in this environment, by its `approvals.rollback`. */
function fastLane(rules: EnvironmentRules): number {
  const { rollback, required } = rules.approvals
  return rollback === 'none' ? 0 : rollback === 'one' ? Math.min(1, required) : required
}

async function unresolvedThreads(parts: EngineParts, mrId: string): Promise<number> {
  const comments = await listComments(parts.store.db, mrId)
  return comments.filter(
    (comment) => comment.id === comment.threadId && comment.path !== null && comment.resolvedAt === null,
  ).length
}

/** Whether plans are still being made, so that a verdict of the gate is not final. */
export const isPlanning = (stacks: readonly JudgedStack[]): boolean =>
  stacks.some(({ preview, run }) => !preview.settled || (run !== null && run.finishedAt === null))
