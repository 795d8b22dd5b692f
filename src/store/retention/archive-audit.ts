import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type AuditArchive, archiveText, type AuditCheckpointFile } from '../../domain/audit-archive.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { removeDurably, writeDurably } from '../../lib/durable-file.ts'
import type { DataKeys } from '../database/keys.ts'
import { asStoreError } from '../database/sqlite/errors.ts'
import { archiveAside } from '../reading/reading.ts'
import { inPortions } from './portions.ts'
import type { Store } from '../store.ts'
import { appendAudit, leftThrough } from '../audit/audit.ts'
import { AUDIT_DIRECTORY, checkpointName, firstOf } from '../audit/archive-file.ts'
import { auditArchives, baseOf, checkpointsBetween } from '../audit/chain.ts'
import type { Leaving } from '../audit/leaving.ts'

/** Events of one archive, so that its file can be read by ordinary means: about 100 MB compressed. */
const LARGEST_PART = 1_000_000

export interface ArchiveOptions {
  /** Events before this time leave, in milliseconds; none by age where absent. */
  before?: number
  /** Of all events this many stay; none by count where absent. */
  newest?: number
  /** Fewer than this are left where they are, so that there are few archives. */
  atLeast?: number
  /** Who asks for it. */
  actor: string
  dryRun?: boolean
  signal?: AbortSignal
}

/**
 * Has the oldest events leave the database, in this order, so that a kill between any two steps loses nothing: they are
 * proved, written to a file, and read back; a checkpoint of them is signed and put beside it; the checkpoint and the event
 * `audit.archived` are stored, from when on the proof begins behind them; then they are deleted, a few at a time. What an
 * earlier call left undone is done first. `write` does the long part; in a thread of its own where absent. Answers how many left. CONFLICT where the chain is broken, NO_ROOM.
 */
export async function archiveAudit(
  store: Store,
  keys: DataKeys,
  options: ArchiveOptions,
  write: typeof archiveAside = archiveAside,
): Promise<number> {
  // Only an embedded database has a directory beside it.
  if (store.file === undefined) return 0
  const directory = join(dirname(store.file), AUDIT_DIRECTORY)
  try {
    return await archive(store, keys, directory, { ...options, write })
  } catch (error) {
    throw asStoreError(error, 'archiving audit events', directory)
  }
}

async function archive(
  store: Store,
  keys: DataKeys,
  directory: string,
  { write, ...options }: ArchiveOptions & { write: typeof archiveAside },
): Promise<number> {
  const { dryRun = false, signal } = options
  if (!dryRun) {
    await deleteLeft(store, signal)
    await removeUnfinished(directory, (await leftThrough(store.db)) + 1)
  }
  for (let left = 0; ; ) {
    if (signal?.aborted) return left
    const leaving = await write(store, {
      directory,
      keys,
      largest: dryRun ? Infinity : LARGEST_PART,
      ...options,
    })
    if (leaving.what === 'nothing') return left
    if (leaving.what === 'broken') throw broken(leaving.seq, leaving.why)
    left += leaving.count
    if (dryRun) return left
    await record(store, keys, { directory, leaving, actor: options.actor })
    await deleteLeft(store, signal)
    // Each part is an event of its own, so that by count there would always be one more.
    if (leaving.count < LARGEST_PART) return left
  }
}

type Part = Extract<Leaving, { what: 'part' }>

async function record(
  store: Store,
  keys: DataKeys,
  { directory, leaving, actor }: { directory: string; leaving: Part; actor: string },
): Promise<void> {
  const { what: _, ...part } = leaving
  const statement = { ...part, at: store.clock.now() }
  const signature = keys.sign(archiveText(statement))
  const signed: AuditArchive = { ...statement, keyId: keys.auditKeyId, signature }
  const file: AuditCheckpointFile = {
    format: 'trueup-audit-archive-v1',
    archive: signed,
    publicKey: keys.auditPublicKey,
    heads: await checkpointsBetween(store.db, part.fromSeq - 1, part.through),
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeDurably(join(directory, checkpointName(part.file)), `${JSON.stringify(file, null, 1)}\n`, 0o600)
  await store.transaction(async (tx) => {
    const base = baseOf(await auditArchives(tx))
    if (base.hash !== part.previousHash) throw new Error('two archives of the audit chain were made at once')
    await tx.insertInto('auditArchives').values(signed).execute()
    const { fromSeq, through, hash, count, file: name } = signed
    await appendAudit(tx, {
      actor,
      action: 'audit.archived',
      subject: 'audit',
      data: { fromSeq, through, hash, count, file: name },
    })
  })
}

/** Deletes what has left, a few rows in a transaction. */
async function deleteLeft(store: Store, signal?: AbortSignal): Promise<void> {
  const through = await leftThrough(store.db)
  if (through === 0) return
  for (const table of ['audit', 'auditCheckpoints'] as const)
    await inPortions(store, { signal }, async (tx, most) => {
      const rows = tx.selectFrom(table).select('seq').where('seq', '<=', through).orderBy('seq').limit(most)
      const { numDeletedRows } = await tx.deleteFrom(table).where('seq', 'in', rows).executeTakeFirst()
      return Number(numDeletedRows)
    })
}

/** Files of a part that never became one: nothing was deleted for them. */
async function removeUnfinished(directory: string, next: number): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const name of names) if (firstOf(name) === next) await removeDurably(join(directory, name))
}

const broken = (seq: number, why: string): TrueupError =>
  new TrueupError('CONFLICT', {
    doing: 'archiving audit events that are older than they are to be kept',
    why: `the chain is broken at event ${seq}: ${why}. Nothing left the database`,
    next: 'Find out how it came to be (`trueup audit verify`); what a reseal names may leave with it.',
  })
