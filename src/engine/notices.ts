import { TrueupError } from '../lib/errors/error.ts'
import { appendAudit } from '../store/audit/audit.ts'
import { activeNotices, createNotice, getNotice, type Notice, withdrawNotice } from '../store/stacks/notices.ts'
import { assertSayable, type EnvironmentStatement } from './environment-statements.ts'
import { type EngineParts, userActor } from './parts.ts'

/** More than people read is no notice. */
const MOST_STANDING = 20

export interface NoticeWish extends EnvironmentStatement {
  kind: Notice['kind']
  text: string
  actorId: string
}

/**
 * Says something about an environment to everybody who looks at it; nothing is stopped by it, which is what a freeze is for.
 * Errors: NOT_FOUND (no such environment), INVALID_REQUEST, CONFLICT (too many stand).
 */
export async function postNotice(parts: EngineParts, wish: NoticeWish): Promise<Notice> {
  const { repositoryId, environment, kind, until, actorId } = wish
  const doing = `posting a notice on ${environment}`
  const text = wish.text.trim()
  if (text === '') throw new TrueupError('INVALID_REQUEST', { doing, why: 'it says nothing' })
  await assertSayable(parts, wish, doing)
  return await parts.store.transaction(async (tx) => {
    if ((await activeNotices(tx, { repositoryId, environment })).length >= MOST_STANDING) {
      const next = 'Withdraw those that are over: `trueup env withdraw`.'
      throw new TrueupError('CONFLICT', { doing, why: `${MOST_STANDING} stand there already`, next })
    }
    const notice = await createNotice(tx, { repositoryId, environment, kind, text, createdById: actorId, until })
    await appendAudit(tx, {
      actor: userActor(actorId),
      action: 'environment.notice',
      subject: `${repositoryId}:${environment}`,
      repositoryId,
      data: { noticeId: notice.id, environment, kind, text, until },
    })
    return notice
  })
}

/** Takes one notice down. NOT_FOUND (none of this id there), CONFLICT (withdrawn). */
export async function takeNoticeDown(
  parts: EngineParts,
  where: { repositoryId: string; environment: string; noticeId: string; actorId: string },
): Promise<Notice> {
  const { repositoryId, environment, noticeId, actorId } = where
  const doing = `withdrawing notice ${noticeId} of ${environment}`
  return await parts.store.transaction(async (tx) => {
    const notice = await getNotice(tx, noticeId)
    if (notice?.repositoryId !== repositoryId || notice.environment !== environment) {
      const next = '`trueup env show` shows those that stand.'
      throw new TrueupError('NOT_FOUND', { doing, why: 'there is none of this id', next })
    }
    if (notice.withdrawnAt !== null) throw new TrueupError('CONFLICT', { doing, why: 'it is withdrawn already' })
    const withdrawn = await withdrawNotice(tx, noticeId)
    await appendAudit(tx, {
      actor: userActor(actorId),
      action: 'environment.notice.withdraw',
      subject: `${repositoryId}:${environment}`,
      repositoryId,
      data: { noticeId, environment },
    })
    return withdrawn
  })
}
