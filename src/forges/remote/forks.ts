import { isAtLeast, type Role } from '../../domain/roles.ts'
import { commandsIn } from '../../domain/commands/parse.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { type ForkHeads, forkHeads, isForkBranch, setForkHeads, vouchFor } from '../../store/forges/forks.ts'
import { roleIn } from '../../store/people/members.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import type { RemoteChange, RemoteComment } from './api.ts'
import type { Connected } from './connected.ts'
import { takeFork } from './take-change.ts'

/** Who may say that what a stranger has pushed is to be run. */
const VOUCHES: Role = 'maintainer'

/** Notes which heads merge requests from forks have, and since when: what somebody says is of the head that stood there. */
export async function noteForks({ store, repository, api }: Connected, open: Iterable<RemoteChange>): Promise<void> {
  const before = await forkHeads(store.db, repository.id)
  const now: { [number: string]: ForkHeads[string] } = {}
  for (const { number, isFork, headOid } of open) {
    if (!isFork || headOid === '') continue
    const known = before[number]
    now[number] = known?.headOid === headOid ? known : { headOid, since: api.now() }
  }
  if (canonicalJson(now) === canonicalJson(before)) return
  await store.transaction((tx) => setForkHeads(tx, repository.id, now))
}

const asksForPlans = (body: string): boolean =>
  commandsIn(body).some((command) => 'verb' in command && command.verb === 'plan')

/**
 * A merge request from a fork is nothing here until somebody who may vouch for it asks for its plans: then it is taken over.
 * Null where it is none, or where nobody has asked who may.
 */
export async function askedForFork(
  here: Connected,
  number: number,
  { body, person }: RemoteComment,
): Promise<MergeRequest | null> {
  if (!asksForPlans(body)) return null
  const change = await here.api.change(number)
  if (!change?.isFork || change.state !== 'open') return null
  const role = await here.api.roleOf(person)
  return role !== null && isAtLeast(role, VOUCHES) ? await takeFork(here, change) : null
}

/**
 * `/trueup plan` of somebody who may vouch lets exactly the head be planned that stood there before it was written, and stands there
 * still; a new head asks again.
 */
export async function vouchAsSaid(
  { store, api, repository }: Connected,
  mr: MergeRequest,
  userId: string,
  { body, createdAt }: RemoteComment,
): Promise<void> {
  if (!isForkBranch(mr.sourceBranch) || !asksForPlans(body)) return
  const role = await roleIn(store.db, repository.id, userId)
  if (role === null || !isAtLeast(role, VOUCHES)) return
  const seen = (await forkHeads(store.db, repository.id))[mr.number]
  if (!seen || seen.since >= createdAt || (await api.change(mr.number))?.headOid !== seen.headOid) return
  await store.transaction(async (tx) => {
    await vouchFor(tx, mr.id, seen.headOid)
    await enqueueTask(tx, { kind: 'mr.preview', key: mr.id, payload: { mrId: mr.id } })
  })
}
