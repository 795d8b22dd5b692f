import { z } from 'zod'
import type { AuditPlace } from '../../domain/audit-place.ts'
import type { Logger } from '../../lib/log.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { checkpointsBetween } from '../../store/audit/chain.ts'
import { getMeta, setMeta } from '../../store/database/meta.ts'
import type { Store } from '../../store/open.ts'
import { sendTo } from './places.ts'

/** Place → the last checkpoint that it has, and whether it refuses since then: that is told once. */
const SENT = 'auditCheckpointsSent'
const Sent = z.record(z.string(), z.object({ seq: z.number(), refuses: z.boolean() }))
/** At a time; a place that comes later gets the old ones too, in rounds. */
const MOST = 500

/**
 * Sends every place the checkpoints that it does not have yet. A place that cannot be reached keeps nothing from the others: it
 * is told as an event, once, and tried again in the next round.
 */
export async function sendCheckpoints(store: Store, places: readonly AuditPlace[], log: Logger): Promise<void> {
  for (const place of places) {
    const known = (await sentTo(store))[place.text] ?? { seq: 0, refuses: false }
    const waiting = (await checkpointsBetween(store.db, known.seq, Infinity)).slice(0, MOST)
    if (waiting.length === 0) continue
    const format = 'trueup-audit-checkpoint-v1' as const
    try {
      const checkpoints = waiting.map(({ seq, hash, at, keyId, signature }) => ({
        format,
        seq,
        hash,
        at,
        keyId,
        signature,
      }))
      await sendTo(place, checkpoints, store.clock.now())
      await note(store, place, { seq: waiting.at(-1)!.seq, refuses: false })
    } catch (error) {
      log.error({ err: error, place: place.text }, 'a checkpoint of the audit could not be sent')
      if (!known.refuses) await note(store, place, { seq: known.seq, refuses: true }, (error as Error).message)
    }
  }
}

const sentTo = async ({ db }: Pick<Store, 'db'>): Promise<z.infer<typeof Sent>> =>
  Sent.parse(JSON.parse((await getMeta(db, SENT)) ?? '{}'))

async function note(
  store: Store,
  place: AuditPlace,
  state: { seq: number; refuses: boolean },
  why?: string,
): Promise<void> {
  await store.transaction(async (tx) => {
    const all = Sent.parse(JSON.parse((await getMeta(tx, SENT)) ?? '{}'))
    await setMeta(tx, SENT, JSON.stringify({ ...all, [place.text]: state }))
    if (why === undefined) return
    const data = { place: place.text, after: state.seq, why: why.slice(0, 500) }
    await appendAudit(tx, { actor: 'system', action: 'audit.checkpoint_unsent', subject: 'audit', data })
  })
}
