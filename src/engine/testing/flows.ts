import type { RunKind } from '../../domain/runs/run.ts'
import { listAudit } from '../../store/audit/list.ts'
import { getMergeRequest, type MergeRequest } from '../../store/changes/merge-requests.ts'
import { getRun, listRuns, type Run } from '../../store/runs/runs.ts'
import { allStacks, type Stack } from '../../store/stacks/stacks.ts'
import type { User } from '../../store/people/users.ts'
import { judge, type Judgement } from '../merge-requests/gate.ts'
import { mergeRequested, type MergeWish } from '../merge-requests/merge.ts'
import { approveRun } from '../runs/actions.ts'
import type { EngineHarness, Files, PushHow } from './harness.ts'
import type { World } from './world.ts'

/** A `trueup.yaml` of stacks of the command driver in production (one approval) unless said otherwise. */
export function configOf(
  stacks: { [name: string]: object },
  {
    environments = { production: { tier: 'production', approvals: { required: 1 } } },
    ...more
  }: { environments?: object; policies?: object[] } = {},
): string {
  const commands = { plan: 'true', apply: 'true', destroy: 'true' }
  const list = Object.entries(stacks).map(([path, stack]) => ({ path, driver: 'command', with: commands, ...stack }))
  // JSON is YAML, too.
  return JSON.stringify({ version: 1, environments, stacks: list, ...more })
}

/** Pushes to main past the gates (an empty repository allows it); reality is there already, so that everything is adopted. */
export async function bootstrap(harness: EngineHarness, world: World, files: Files): Promise<void> {
  await harness.push('main', files)
  await world.adopt()
}

export async function approveWaiting(harness: EngineHarness, run: Run, by: User = harness.users.second): Promise<void> {
  await approveRun(harness.engine.parts, { runId: run.id, digest: run.planDigest!, actorId: by.id })
}

/** Pushes a branch and opens its MR; the previews are still to be worked off. */
export async function propose(
  harness: EngineHarness,
  branch: string,
  files: Files,
  { sign, ...more }: { draft?: boolean; sign?: PushHow['sign'] } = {},
): Promise<MergeRequest> {
  await harness.push(branch, files, { sign })
  const mr = await harness.forge.changes.open({
    repositoryId: harness.repositoryId,
    sourceBranch: branch,
    targetBranch: 'main',
    title: `Change ${branch}`,
    description: '',
    authorId: harness.users.author.id,
    ...more,
  })
  await harness.settle()
  return await mrOf(harness, mr.id)
}

export const mrOf = async (harness: EngineHarness, id: string): Promise<MergeRequest> =>
  (await getMergeRequest(harness.store.db, id))!

export const judged = async (harness: EngineHarness, id: string): Promise<Judgement> =>
  judge(harness.engine.parts, await mrOf(harness, id))

/** Names of blocking requirements that are not met. */
export async function unmet(harness: EngineHarness, id: string): Promise<string[]> {
  const { outcome } = await judged(harness, id)
  return outcome.requirements
    .filter((requirement) => requirement.blocking && !requirement.satisfied)
    .map(({ name }) => name)
}

export async function approve(harness: EngineHarness, id: string, by: User = harness.users.reviewer): Promise<void> {
  const { digests, files } = await judged(harness, id)
  const { headOid } = await mrOf(harness, id)
  const review = { mrId: id, userId: by.id, verdict: 'approve' as const, body: '', headOid, digests, files }
  await harness.forge.reviews.give(review)
  await harness.settle()
}

export async function merge(harness: EngineHarness, id: string, more: Partial<MergeWish> = {}): Promise<MergeRequest> {
  const { parts } = harness.engine
  const wish = { mrId: id, actorId: harness.users.reviewer.id, squash: false, ...more }
  const merged = await mergeRequested(parts, wish)
  await harness.settle()
  return merged
}

/** Proposes, previews, approves and merges; what is merged is still to be deployed. */
export async function land(harness: EngineHarness, world: World, branch: string, files: Files): Promise<MergeRequest> {
  const mr = await propose(harness, branch, files)
  await world.work()
  await approve(harness, mr.id)
  return await merge(harness, mr.id)
}

/** Runs, newest first, whole. */
export async function runsOf(
  harness: EngineHarness,
  { kind, state, stack }: { kind?: RunKind; state?: Run['state']; stack?: string } = {},
): Promise<Run[]> {
  const stackId = stack === undefined ? undefined : (await stackOf(harness, stack)).id
  const filter = {
    repositoryId: harness.repositoryId,
    ...(kind && { kinds: [kind] }),
    ...(state && { states: [state] }),
    ...(stackId !== undefined && { stackId }),
  }
  const { items } = await listRuns(harness.store.db, filter, { limit: 500 })
  return await Promise.all(items.map(async ({ id }) => (await getRun(harness.store.db, id))!))
}

export async function stackOf(harness: EngineHarness, key: string): Promise<Stack> {
  const stacks = await allStacks(harness.store.db, { repositoryId: harness.repositoryId, removed: true })
  const stack = stacks.find(({ environment, name }) => `${environment}/${name}` === key)
  if (!stack) throw new Error(`there is no stack ${key}`)
  return stack
}

/** Audit events of an action, newest first. */
export const audited = async (harness: EngineHarness, action: string) =>
  (await listAudit(harness.store.db, { action })).items
