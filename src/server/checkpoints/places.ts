import { type AuditPlace, checkpointsIn, type SentCheckpoint } from '../../domain/audit-place.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { canonicalJson } from '../../lib/json.ts'
import { appendToFile, readWholeFile } from './file.ts'
import { pushLines, readLines } from './git.ts'
import { getObjects, putObjects } from './s3.ts'
import { sendToSyslog } from './syslog.ts'

/** Sends checkpoints, oldest first; when it resolves they are there, as far as the place tells. */
export async function sendTo(place: AuditPlace, checkpoints: readonly SentCheckpoint[], at: number): Promise<void> {
  const lines = checkpoints.map((checkpoint) => ({ ...checkpoint, line: canonicalJson(checkpoint) }))
  const texts = lines.map(({ line }) => line)
  switch (place.kind) {
    case 'file':
      return await appendToFile(place.path, texts)
    case 'syslog':
      return await sendToSyslog(place, texts, at)
    case 's3':
      return await putObjects(place, lines)
    case 'git':
      return await pushLines(place, lines)
  }
}

/** What lies at a place. UNAVAILABLE where it cannot be read, NOT_FOUND where none is there: that proves nothing. */
export async function readFrom(place: AuditPlace): Promise<SentCheckpoint[]> {
  const doing = `reading checkpoints of the audit from ${place.text}`
  if (place.kind === 'syslog')
    throw new TrueupError('INVALID_REQUEST', {
      doing,
      why: 'syslog gives nothing back',
      next: 'Name the file that it writes: --checkpoint file:/var/log/audit.log.',
    })
  const text = await textOf(place).catch((cause: Error) => {
    throw new TrueupError('UNAVAILABLE', {
      doing,
      why: cause.message,
      next: 'Look whether it is there and may be read.',
      cause,
    })
  })
  const found = new Map(checkpointsIn(text).map((checkpoint) => [canonicalJson(checkpoint), checkpoint]))
  if (found.size > 0) return [...found.values()].toSorted((a, b) => a.seq - b.seq)
  throw new TrueupError('NOT_FOUND', { doing, why: 'there is none', next: 'Name the place that the server sends to.' })
}

function textOf(place: Exclude<AuditPlace, { kind: 'syslog' }>): Promise<string> {
  switch (place.kind) {
    case 'file':
      return readWholeFile(place.path)
    case 's3':
      return getObjects(place)
    case 'git':
      return readLines(place)
  }
}
