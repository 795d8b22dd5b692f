import { createReadStream } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { syncDirectory, UNFINISHED } from '../../lib/durable-file.ts'
import { canonicalJson } from '../../lib/json.ts'
import type { AuditRow } from './chain.ts'

/** Directory of a data directory where the events are that left the database, with their checkpoints. */
export const AUDIT_DIRECTORY = 'audit'

const digits = (seq: number): string => String(seq).padStart(12, '0')
const CHECKPOINT = '.checkpoint.json'

/** Name of the file for these events: JSON lines as in `trueup audit export`, compressed with gzip. */
export const archiveName = (fromSeq: number, through: number): string =>
  `events-${digits(fromSeq)}-${digits(through)}.jsonl.gz`

/** Name of the checkpoint beside an archive. */
export const checkpointName = (archive: string): string => archive.replace(/\.jsonl\.gz$/, CHECKPOINT)

/** The first event that a file of this directory is of; null where it is none of ours. */
export function firstOf(name: string): number | null {
  const [, from] = /^events-(\d{12,})-\d{12,}\.(?:jsonl\.gz|checkpoint\.json)(?:\.new)?$/.exec(name) ?? []
  return from === undefined ? null : Number(from)
}

/** Writes rows as JSON lines, compressed, whole or not at all, and on the disk when the promise resolves. */
export async function writeRows(file: string, rows: AsyncIterable<AuditRow>): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const fresh = `${file}${UNFINISHED}`
  const handle = await open(fresh, 'w', 0o600)
  try {
    await pipeline(Readable.from(lines(rows)), createGzip(), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) await handle.writeFile(chunk)
    })
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(fresh, file)
  await syncDirectory(dirname(file))
  await syncDirectory(join(dirname(file), '..'))
}

async function* lines(rows: AsyncIterable<AuditRow>): AsyncGenerator<string> {
  let piece = ''
  for await (const row of rows) {
    piece += `${canonicalJson(row)}\n`
    if (piece.length < 64 * 1024) continue
    yield piece
    piece = ''
  }
  yield piece
}

const Row = z.strictObject({
  seq: z.int().min(1),
  at: z.int(),
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  repositoryId: z.string().nullable(),
  dataJson: z.string(),
  previousHash: z.string(),
  hash: z.string(),
})

const GZIP = Buffer.from([0x1f, 0x8b])

/**
 * Reads an export or an archive, compressed or not, one event after the other. INVALID_REQUEST with the line where it is
 * none; NOT_FOUND where there is no such file.
 */
export async function* readRows(file: string): AsyncGenerator<AuditRow> {
  const doing = `reading the audit events of ${file}`
  const refuse = (why: string, cause?: unknown): TrueupError =>
    new TrueupError('INVALID_REQUEST', {
      doing,
      why,
      next: 'Name a whole export or archive of the audit trail.',
      cause,
    })
  const handle = await open(file, 'r').catch((cause: unknown) => {
    throw new TrueupError('NOT_FOUND', { doing, why: 'it cannot be opened', next: 'Name an existing file.', cause })
  })
  const start = Buffer.alloc(2)
  try {
    await handle.read(start, 0, 2, 0)
  } finally {
    await handle.close()
  }
  const raw = createReadStream(file)
  const input = start.equals(GZIP) ? raw.pipe(createGunzip()) : raw
  raw.once('error', (error) => input.destroy(error))
  const reading = createInterface({ input, crlfDelay: Infinity })
  // The interface would end as if the file did.
  let broken: Error | undefined
  input.once('error', (error: Error) => {
    broken = error
    reading.close()
  })
  let number = 0
  try {
    for await (const line of reading) {
      number++
      if (line === '') continue
      const row = Row.safeParse(parsed(line))
      if (!row.success) throw refuse(`line ${number} is not an event with the columns of an export`, row.error)
      yield row.data
    }
  } catch (error) {
    if (error instanceof TrueupError) throw error
    broken ??= error as Error
  } finally {
    raw.destroy()
  }
  if (broken) throw refuse(`it is cut off or damaged behind line ${number}: ${broken.message}`, broken)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
