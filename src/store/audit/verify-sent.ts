import { AUDIT_GENESIS, type AuditBreak, checkpointText, RESEAL_ACTION } from '../../domain/audit.ts'
import type { SentCheckpoint } from '../../domain/audit-place.ts'
import type { DataKeys } from '../database/keys.ts'
import type { AuditRow } from './chain.ts'
import type { ExportVerdict } from './verify-export.ts'
import { walk } from './walk.ts'

/**
 * Whether a chain passes through every checkpoint that lies somewhere else. Nothing excuses a link that is not what was sent there: a
 * chain that was computed anew, with the audit key too, fails. What a reseal has named before it is for `verify` at the server,
 * which has the checkpoints that it counts.
 */
export async function verifySent(
  rows: AsyncIterable<AuditRow>,
  sent: readonly SentCheckpoint[],
  keys: Pick<DataKeys, 'verify'>,
): Promise<ExportVerdict> {
  const wanted = Map.groupBy(sent, ({ seq }) => seq)
  const newest = Math.max(0, ...wanted.keys())
  const seen = { first: 0, last: 0, at: null as number | null, after: 0, resealed: 0 }
  const breaks: AuditBreak[] = []
  const note = (seq: number, kind: AuditBreak['kind'], why: string, at: number | null): void => {
    breaks.push({ seq, kind, why, at, after: seen.at })
  }
  for (const checkpoint of sent)
    if (!keys.verify(checkpointText(checkpoint), checkpoint.signature))
      note(checkpoint.seq, 'checkpoint', 'what was sent is not signed by this key', checkpoint.at)
  const reader = rows[Symbol.asyncIterator]()
  const first = await reader.next()
  if (first.done) note(1, 'missing', 'there is no event at all', null)
  async function* all(): AsyncGenerator<AuditRow> {
    for (let next = first; !next.done; next = await reader.next()) {
      const row = next.value
      seen.first ||= row.seq
      for (const { hash } of wanted.get(row.seq) ?? [])
        if (hash !== row.hash) note(row.seq, 'kept', 'it is not the link that was sent elsewhere', row.at)
      if (row.action === RESEAL_ACTION) seen.resealed = row.seq
      if (row.seq > newest) seen.after++
      seen.last = row.seq
      seen.at = row.at
      yield row
    }
  }
  const base = first.done
    ? { seq: 0, hash: AUDIT_GENESIS }
    : { seq: first.value.seq - 1, hash: first.value.previousHash }
  const found = await walk({ base, rows: all(), checkpoints: [], head: null, faults: [] })
  breaks.push(...found.breaks.filter(({ seq }) => seq > seen.resealed))
  for (const seq of wanted.keys())
    if (seq > seen.last) note(seq, 'missing', `the end is cut off: ${seq} was sent elsewhere`, null)
  return {
    ok: breaks.length === 0,
    fromSeq: seen.first,
    through: Math.min(newest, seen.last),
    count: found.count - seen.after,
    before: Math.max(0, seen.first - 1),
    after: seen.after,
    breaks: breaks.toSorted((a, b) => a.seq - b.seq).slice(0, 100),
    total: breaks.length,
  }
}
