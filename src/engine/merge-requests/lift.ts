import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { getMergeRequest, type MergeRequest, patchMergeRequest } from '../../store/changes/merge-requests.ts'
import { enqueueTask } from '../../store/runs/tasks.ts'
import { findUserByName } from '../../store/people/users.ts'
import { type EngineParts, userActor } from '../parts.ts'
import { makersOf } from './makers.ts'

/**
 * Lets a person vote although commits of the MR name them: whoever pushes may write any name. It holds for the commits
 * that are there now. Who has made the change, and the person themselves, cannot do it; what somebody has pushed is not
 * lifted at all. Errors: NOT_FOUND, CONFLICT, FORBIDDEN.
 */
export async function liftName(
  parts: EngineParts,
  wish: { mr: MergeRequest; user: string; actorId: string; reason: string },
): Promise<MergeRequest> {
  const { mr, actorId, reason } = wish
  const doing = `letting ${wish.user} vote on !${mr.number}`
  const user = await findUserByName(parts.store.db, wish.user)
  if (!user) {
    throw new TrueupError('NOT_FOUND', { doing, why: `there is no account ${JSON.stringify(wish.user)}` })
  }
  const makers = await makersOf(parts, mr)
  const tied =
    makers.authorId === user.id
      ? 'is its author'
      : makers.pusherIds.includes(user.id)
        ? 'has pushed commits of it'
        : null
  if (tied !== null) {
    throw new TrueupError('CONFLICT', { doing, why: `${user.name} ${tied}, and nobody approves their own change` })
  }
  const named = makers.named.find(({ userId }) => userId === user.id)
  if (!named) throw new TrueupError('CONFLICT', { doing, why: `no commit of it keeps ${user.name} from voting` })
  const own = actorId === user.id || actorId === makers.authorId || makers.pusherIds.includes(actorId)
  if (own) {
    const why = actorId === user.id ? 'nobody does that for themselves' : 'you have made this change'
    throw new TrueupError('FORBIDDEN', { doing, why, next: 'Ask a maintainer who has no part in it.' })
  }
  return await parts.store.transaction(async (tx) => {
    const now = await getMergeRequest(tx, mr.id)
    if (now?.headOid !== mr.headOid || now.state !== 'open') {
      throw new TrueupError('MR_MOVED', { doing, why: 'it has moved, or is no longer open' })
    }
    const entry = { userId: user.id, commits: named.commits, byId: actorId, reason, at: parts.store.clock.now() }
    const lifted = [...(now.lifted ?? []).filter(({ userId }) => userId !== user.id), entry]
    await appendAudit(tx, {
      actor: userActor(actorId),
      action: 'mr.name_lifted',
      subject: mr.id,
      repositoryId: mr.repositoryId,
      data: { number: mr.number, userId: user.id, commits: named.commits, reason },
    })
    await enqueueTask(tx, { kind: 'mr.evaluate', key: mr.id, payload: { mrId: mr.id } })
    return await patchMergeRequest(tx, mr.id, { lifted })
  })
}
