import { AUDIT_GENESIS, type AuditBreak } from '../../domain/audit.ts'
import { archiveText, type AuditCheckpointFile } from '../../domain/audit-archive.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DataKeys } from '../database/keys.ts'
import type { AuditRow, Link } from './chain.ts'
import { walk } from './walk.ts'

/** What an export proves together with a signed checkpoint of what left the database. */
export interface ExportVerdict {
  ok: boolean
  /** First and last event of the export that the checkpoint speaks of. */
  fromSeq: number
  through: number
  /** Events that are in order. */
  count: number
  /** Events of the checkpoint that the export does not hold, all before its first. */
  before: number
  /** Events of the export behind the checkpoint, which it says nothing of. */
  after: number
  breaks: AuditBreak[]
  total: number
}

/**
 * Proves that the events of an export are those of which the checkpoint was signed. An export that begins later proves what
 * it holds, since the last hash stands for everything before it; one that follows on the checkpoint proves that it does.
 * `keys` checks signatures of the key that is trusted; `kept` is a head that somebody kept of one of these events. INVALID_REQUEST where the two have nothing to do with each other.
 */
export async function verifyExport(
  rows: AsyncIterable<AuditRow>,
  { archive, heads }: Pick<AuditCheckpointFile, 'archive' | 'heads'>,
  keys: Pick<DataKeys, 'verify'>,
  kept?: Link,
): Promise<ExportVerdict> {
  const reader = rows[Symbol.asyncIterator]()
  const first = await reader.next()
  const doing = `verifying an export against the checkpoint of the events ${archive.fromSeq} to ${archive.through}`
  if (first.done) throw new TrueupError('INVALID_REQUEST', { doing, why: 'the export holds no event' })
  const { seq: begin } = first.value
  if (begin > archive.through + 1)
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why: `the export begins with event ${begin}, which is neither among them nor the next`,
      next: 'Use the checkpoint of those events, or the export that belongs to this one.',
    })
  const follows = begin === archive.through + 1
  const counted = { after: 0, through: 0, kept: false }
  async function* wanted(): AsyncGenerator<AuditRow> {
    for (let next = first; !next.done; next = await reader.next()) {
      if (!follows && next.value.seq > archive.through) counted.after++
      else {
        counted.through = next.value.seq
        counted.kept ||= next.value.seq === kept?.seq && next.value.hash === kept.hash
        yield next.value
      }
    }
  }
  const found = await walk(
    {
      base: baseOf(first.value, archive),
      rows: wanted(),
      checkpoints: follows ? [] : heads.filter(({ seq }) => seq >= begin && seq <= archive.through),
      head: null,
      faults: keys.verify(archiveText(archive), archive.signature)
        ? []
        : [
            {
              seq: archive.through,
              kind: 'checkpoint',
              why: 'the signature of the checkpoint is wrong',
              at: archive.at,
              after: null,
            },
          ],
    },
    { keys, ...(!follows && { kept: { seq: archive.through, hash: archive.hash } }) },
  )
  const breaks = [...found.breaks]
  if (kept && !counted.kept)
    breaks.push({ seq: kept.seq, kind: 'kept', why: 'it is not the link that was kept', at: null, after: null })
  const total = found.total + breaks.length - found.breaks.length
  return {
    ok: total === 0,
    fromSeq: begin,
    through: counted.through,
    count: found.count,
    before: follows ? 0 : Math.max(0, begin - archive.fromSeq),
    after: counted.after,
    breaks,
    total,
  }
}

/** The link that the first event must follow: a later one than the checkpoint's first says itself which that is. */
function baseOf(first: AuditRow, archive: AuditCheckpointFile['archive']): Link {
  const { seq } = first
  if (seq === 1) return { seq: 0, hash: AUDIT_GENESIS }
  if (seq === archive.fromSeq) return { seq: seq - 1, hash: archive.previousHash }
  if (seq === archive.through + 1) return { seq: seq - 1, hash: archive.hash }
  return { seq: seq - 1, hash: first.previousHash }
}
