import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import type { Plan } from '../domain/plans/plan.ts'
import { isAtLeast, RELEASER, VOTER } from '../domain/roles.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { verifyAudit } from '../store/audit/verify.ts'
import { listMergeRequests, type MergeRequest } from '../store/changes/merge-requests.ts'
import { pushersOf } from '../store/changes/refs.ts'
import { listReviews } from '../store/changes/reviews.ts'
import { removeMember, roleIn, setMember } from '../store/people/members.ts'
import { getUser, patchUser } from '../store/people/users.ts'
import { getRun } from '../store/runs/runs.ts'
import { listDeployments } from '../store/stacks/deployments.ts'
import { checkNow } from './drift/actions.ts'
import { OVERTAKEN } from './drift/overtaken.ts'
import { votesChanged } from './merge-requests/people-changed.ts'
import { mergeRequested } from './merge-requests/merge.ts'
import { rollBack } from './rollback/rollback.ts'
import type { RollbackDetail } from './rolled-back/detail.ts'
import { approveRun } from './runs/actions.ts'
import { type Applying, createEstate, type Estate } from './testing/estate.ts'
import { configOf, judged, mrOf, runsOf, stackOf } from './testing/flows.ts'
import { type EngineHarness, startHarness } from './testing/harness.ts'
import { edited, histories, type History, type Loss, type Step, type Who } from './testing/histories.ts'

/** `TRUEUP_TEST_HISTORIES=100 TRUEUP_TEST_SEED=random` looks for more than fits into a suite. */
const HISTORIES = Number(process.env['TRUEUP_TEST_HISTORIES'] ?? 6)
const STEPS = Number(process.env['TRUEUP_TEST_STEPS'] ?? 3)
const KEY = 'production/a'

let harness: EngineHarness | undefined
afterEach(() => harness?.stop())

/** How often each promise was put to the test: one that never is proves nothing. */
const seen = { applied: 0, destroyed: 0, rolledBack: 0, inSync: 0 }

it(
  'applies nothing unapproved, destroys nothing foreign and calls nothing in sync unseen, whatever happens',
  async () => {
    const property = fc.asyncProperty(histories(STEPS), async (history) => {
      await harness?.stop()
      harness = await startHarness()
      await live(harness, history)
    })
    await fc.assert(property, { numRuns: HISTORIES, endOnFailure: true })
    expect(Object.entries(seen).filter(([, times]) => times === 0)).toEqual([])
  },
  HISTORIES * 120_000,
)

async function live(world: EngineHarness, { rules, steps }: History): Promise<void> {
  const estate = createEstate(world)
  for (const address of ['a', 'b', 'c', 'd']) estate.outside.set(address, { maker: null, value: '' })
  const production = {
    tier: 'production',
    approvals: { required: 1, rollback: rules.rollback },
    onFailure: rules.onFailure,
  }
  const drift = { mode: 'observe', interval: '1d', maxDestroys: 100 }
  const config = configOf({ a: { drift } }, { environments: { production } })
  await world.push('main', { 'trueup.yaml': config, 'a/resources': '' })
  await estate.work()
  for (const step of steps) {
    await take(world, estate, step).catch(refused)
    await estate.work((applying) => judgeApply(world, applying))
    await judgeStatus(world, estate)
  }
  expect(await verifyAudit(world.store.db)).toMatchObject({ ok: true, total: 0 })
}

const openMrs = async (world: EngineHarness): Promise<MergeRequest[]> =>
  (await listMergeRequests(world.store.db, { states: ['open'] })).items

/** Does what a step says, by the ways that people have. */
async function take(world: EngineHarness, estate: Estate, step: Step): Promise<void> {
  const { parts } = world.engine
  const { repositoryId, users } = world
  const chosen = async (number: number): Promise<MergeRequest | undefined> => {
    const all = await openMrs(world)
    return all[number % Math.max(all.length, 1)]
  }
  const resources = async (ref: string): Promise<string> => {
    const oid = await world.git.resolve(`refs/heads/${ref}`)
    return (await world.git.readFile(oid!, 'a/resources'))?.toString() ?? ''
  }
  switch (step.step) {
    case 'change': {
      const [first, second] = step.edits
      const branch = `change-${(await listMergeRequests(world.store.db, {}, { limit: 100 })).items.length}`
      await world.push(branch, { 'a/resources': edited(await resources('main'), first!) }, { by: step.by })
      const named = { sourceBranch: branch, targetBranch: 'main', title: branch, description: '' }
      const { id } = await world.forge.changes.open({ repositoryId, ...named, authorId: users[step.by].id })
      const text = edited(await resources(branch), second ?? [])
      if (step.pusher) await world.push(branch, { 'a/resources': text }, { by: step.pusher })
      await estate.work((applying) => judgeApply(world, applying))
      for (const by of step.voters) await vote(world, id, by, 'approve').catch(refused)
      if (step.against) await vote(world, id, step.against, 'request_changes')
      if (step.loss) await lose(world, ...step.loss)
      await mergeRequested(parts, { mrId: id, actorId: users.second.id, squash: false })
      return
    }
    case 'vote': {
      const mr = await chosen(step.mr)
      if (mr) await vote(world, mr.id, step.by, 'approve')
      return
    }
    case 'merge': {
      const mr = await chosen(step.mr)
      if (mr) await mergeRequested(parts, { mrId: mr.id, actorId: users.second.id, squash: false })
      return
    }
    case 'close': {
      const mr = await chosen(step.mr)
      if (mr) await world.forge.changes.close(mr.id, 'user:x', 'enough')
      return
    }
    case 'rollback': {
      const { id: stackId } = await stackOf(world, KEY)
      const { items } = await listDeployments(world.store.db, { stackId, kind: 'deploy' })
      const one = items[step.run % Math.max(items.length, 1)]
      const target =
        step.whole && one
          ? ({ what: 'deployment', repositoryId, deploymentId: one.id } as const)
          : ({ what: 'stack', stackId } as const)
      const { id } = await rollBack(parts, { target, reason: 'it smells', actorId: users[step.by].id })
      await estate.work((applying) => judgeApply(world, applying))
      if (step.voter && (await mrOf(world, id)).state === 'open') await vote(world, id, step.voter, 'approve')
      return
    }
    case 'release': {
      const [run] = await runsOf(world, { state: 'awaiting_approval' })
      const { id: userId } = users[step.by]
      if (!run) return
      await world.store.transaction((tx) => setMember(tx, { repositoryId, userId, role: RELEASER }))
      await approveRun(parts, { runId: run.id, digest: run.planDigest!, actorId: userId })
      return
    }
    case 'fail':
      if (!estate.failing.delete(step.address)) estate.failing.add(step.address)
      return
    case 'blind':
      estate.blind = step.blind
      return
    case 'check':
      await checkNow(parts, { stackId: (await stackOf(world, KEY)).id, actorId: users.second.id })
  }
}

/** By somebody who may at that moment, as the API sees to. */
async function vote(
  world: EngineHarness,
  mrId: string,
  by: Who,
  verdict: 'approve' | 'request_changes',
): Promise<void> {
  const { id: userId } = world.users[by]
  await world.store.transaction(async (tx) => {
    if ((await getUser(tx, userId))!.disabledAt !== null) await patchUser(tx, userId, { disabledAt: null })
    const role = await roleIn(tx, world.repositoryId, userId)
    if (role === null || role === 'reader')
      await setMember(tx, { repositoryId: world.repositoryId, userId, role: 'contributor' })
    await votesChanged(tx, { userId })
  })
  const { digests, files } = await judged(world, mrId)
  const { headOid } = await mrOf(world, mrId)
  await world.forge.reviews.give({ mrId, userId, verdict, body: '', headOid, digests, files })
}

async function lose(world: EngineHarness, who: Who, loss: Loss): Promise<void> {
  const { repositoryId, users } = world
  const { id: userId } = users[who]
  await world.store.transaction(async (tx) => {
    if (loss === 'disabled') await patchUser(tx, userId, { disabledAt: 1 })
    else if (loss === 'removed') await removeMember(tx, repositoryId, userId)
    else await setMember(tx, { repositoryId, userId, role: 'reader' })
    await votesChanged(tx, { userId })
  })
}

/** What the rules refuse is a part of the history. */
function refused(error: unknown): void {
  if (!(error instanceof TrueupError) || error.code === 'INTERNAL') throw error
}

async function may(world: EngineHarness, userId: string, needed: typeof VOTER): Promise<boolean> {
  const role = await roleIn(world.store.db, world.repositoryId, userId)
  return (await getUser(world.store.db, userId))?.disabledAt === null && role !== null && isAtLeast(role, needed)
}

/**
 * Whether somebody who may said yes to all that is about to be done: told from the people, the votes and the pushes, without the
 * rules that are under test. Nothing happens between a merge and its deployment here but the work on the queue.
 */
async function judgeApply(world: EngineHarness, { grant, changes, thingAt }: Applying): Promise<void> {
  const run = (await getRun(world.store.db, grant.runId))!
  // The first push brings the rules and is nobody's merge request.
  if (run.mrId === null) return
  const mr = await mrOf(world, run.mrId)
  const what = changes.map(({ address, actions, attributes }) =>
    JSON.stringify([address, actions, attributes[0]?.after]),
  )
  const said = (plan: Plan | null): boolean => {
    const approved = new Set(
      plan?.changes.map(({ address, actions, attributes }) => JSON.stringify([address, actions, attributes[0]?.after])),
    )
    return what.every((each) => approved.has(each))
  }
  const plan = run.approvedPlan as Plan | null
  const isReleased = run.approvedById !== null && run.approvedById !== mr.authorId && said(plan)
  const isApproved = isReleased || (said(plan) && (await hasVoter(world, mr, plan!.digest)))
  seen.applied++
  if (mr.origin !== 'rollback') {
    expect(isApproved, `${run.id} of !${mr.number} applies ${what.join()} that nobody approved`).toBe(true)
    return
  }
  seen.rolledBack++
  for (const { address, actions, previousAddress } of changes) {
    if (!actions.includes('delete') && !actions.includes('replace')) continue
    seen.destroyed++
    const { maker } = thingAt(previousAddress ?? address)!
    const made = maker !== null && (await isTakenBack(world, mr, maker))
    expect(made || isApproved, `!${mr.number} destroys ${address}, made by ${maker}, and nobody approved that`).toBe(
      true,
    )
  }
}

/** Whether a vote stands for the plan of this digest by somebody who may, and has made nothing of the change. */
async function hasVoter(world: EngineHarness, mr: MergeRequest, digest: string): Promise<boolean> {
  const { db } = world.store
  const commits = await world.git.log({ from: mr.targetOid, to: mr.headOid, limit: 1_000 })
  const pushers = await pushersOf(
    db,
    mr.repositoryId,
    commits.map(({ oid }) => oid),
  )
  for (const { userId, verdict, droppedAt, digests } of await listReviews(db, mr.id)) {
    if (verdict !== 'approve' || droppedAt !== null || digests[KEY] !== digest) continue
    if (userId === mr.authorId || pushers.includes(userId)) continue
    if (await may(world, userId, VOTER)) return true
  }
  return false
}

/** Whether a rollback takes back the run: its merge lies behind the commit that the rollback goes back to, or is reverted. */
async function isTakenBack(world: EngineHarness, mr: MergeRequest, runId: string): Promise<boolean> {
  const { commitOid } = (await getRun(world.store.db, runId))!
  const { revertCommit, stacks, commitOid: own } = mr.originDetail as unknown as RollbackDetail
  if (revertCommit === commitOid) return true
  const [base] = (await world.git.commit(own)).parents
  const isIn = (ancestor: string, tip: string) =>
    ancestor === tip ? Promise.resolve(true) : world.git.isAncestor(ancestor, tip)
  const to = stacks[0]?.toCommit
  if (revertCommit !== null || to === undefined || base === undefined) return false
  return (await isIn(commitOid, base)) && !(await isIn(commitOid, to))
}

/** `in_sync` only where the newest look that counts saw everything. */
async function judgeStatus(world: EngineHarness, { looks }: Estate): Promise<void> {
  if ((await stackOf(world, KEY)).status !== 'in_sync') return
  seen.inSync++
  for (const { runId, complete } of looks.toReversed()) {
    const run = await getRun(world.store.db, runId)
    // A check that was overtaken by a change says nothing.
    if (run?.state !== 'succeeded' || run.reason === OVERTAKEN) continue
    expect(complete, `in_sync after ${run.kind} run ${runId} (${run.reason}), which did not see everything`).toBe(true)
    return
  }
  throw new Error('in_sync, and nobody has looked')
}
