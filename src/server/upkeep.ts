import type { AuditPlace } from '../domain/audit-place.ts'
import type { Logger } from '../lib/log.ts'
import { tendIssuerKeys } from '../engine/identity/issuer.ts'
import { signCheckpoint } from '../store/audit/verify.ts'
import { deleteIdempotentAnswers } from '../store/idempotency.ts'
import { sendCheckpoints } from './checkpoints/send.ts'
import type { DataKeys } from '../store/database/keys.ts'
import type { Store } from '../store/open.ts'
import { prune } from '../store/retention/prune.ts'
import { giveBackFree } from '../store/retention/shrink.ts'
import { getRetention } from '../store/retention/retention.ts'

const EVERY_MS = 3_600_000
const PRUNE_EVERY_MS = 24 * 3_600_000
/** A file of fewer audit events is not worth its checkpoint. */
const AUDIT_AT_LEAST = 50_000
/** A client that repeats a write after a day is not repeating, it is asking again. */
const KEEP_ANSWERS_MS = 24 * 3_600_000

/**
 * Once at the start and then every hour: signs a checkpoint of the audit chain and sends it elsewhere, forgets kept answers of writes, and once a
 * day what is older than it is to be kept.
 */
export function startUpkeep(
  store: Store,
  keys: DataKeys,
  log: Logger,
  places: readonly AuditPlace[] = [],
): NodeJS.Timeout {
  let prunedAt = store.clock.now()
  const work = async (): Promise<void> => {
    await store.transaction((tx) => signCheckpoint(tx, keys))
    await sendCheckpoints(store, places, log)
    await tendIssuerKeys({ store, keys })
    await deleteIdempotentAnswers(store.db, store.clock.now() - KEEP_ANSWERS_MS)
    if (store.clock.now() - prunedAt < PRUNE_EVERY_MS) return
    prunedAt = store.clock.now()
    const options = { actor: 'system', auditAtLeast: AUDIT_AT_LEAST }
    log.info({ ...(await prune(store, keys, await getRetention(store.db), options)) }, 'pruned')
    const bytes = await giveBackFree(store)
    if (bytes > 0) log.info({ bytes }, 'free pages given back')
  }
  const round = (): void => {
    work().catch((error: unknown) => log.error({ err: error }, 'upkeep'))
  }
  round()
  return setInterval(round, EVERY_MS).unref()
}
