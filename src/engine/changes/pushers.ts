import { NO_OID } from '../../git/repository.ts'
import { recordPusher } from '../../store/changes/refs.ts'
import type { EngineParts } from '../parts.ts'

/** Refs by which commits come in; notes are about commits and are not merged. */
const BRINGS_COMMITS = /^refs\/(?:heads|tags)\//

/**
 * Notes who is about to push which commits, durably, before a ref moves: whatever happens afterwards, nobody approves
 * their own push. A push that git then refuses has tied the person to commits that are not there, which does no harm.
 */
export async function recordPush(
  { store }: Pick<EngineParts, 'store'>,
  by: { repositoryId: string; userId: string },
  updates: readonly { ref: string; newOid: string }[],
): Promise<void> {
  const tips = new Set(
    updates.filter(({ ref, newOid }) => BRINGS_COMMITS.test(ref) && newOid !== NO_OID).map(({ newOid }) => newOid),
  )
  if (tips.size === 0) return
  await store.transaction(async (tx) => {
    for (const oid of tips) await recordPusher(tx, by.repositoryId, oid, by.userId)
  })
}
