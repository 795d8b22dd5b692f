import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { exportAudit } from '../audit/audit.ts'
import type { Leaving, LeavingOrder } from '../audit/leaving.ts'
import { type AuditVerdict, verifyAudit } from '../audit/verify.ts'
import type { DataKeys } from '../database/keys.ts'
import { postgresSize } from '../database/postgres/size.ts'
import type { DatabaseSize } from '../database/size.ts'
import type { Store } from '../store.ts'
import type { ReadingAnswer, ReadingJob, ReadingOrder } from './jobs.ts'

/** Source in development, compiled in a published package: the same place relative to this file. */
const PROGRAM = fileURLToPath(new URL(`./program${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))

/**
 * Reading the whole audit chain takes seconds of hashing. An embedded database is read by a thread of its own meanwhile,
 * so that leases and pages do not wait; another one is read from here.
 */
export async function verifyAuditAside(
  store: Store,
  keys: DataKeys,
  kept?: { seq: number; hash: string },
): Promise<AuditVerdict> {
  if (store.file === undefined) return await verifyAudit(store.db, { keys, kept })
  const { auditPublicKey } = keys
  for await (const part of parts(store.file, { what: 'verify', auditPublicKey, ...(kept && { kept }) }))
    return part as AuditVerdict
  throw new Error('the thread that verified the audit chain had no answer')
}

/** `databaseSize` by a thread of its own: it reads every page. */
export async function databaseSizeAside(store: Store): Promise<DatabaseSize> {
  if (store.file === undefined) return await postgresSize(store.db)
  for await (const part of parts(store.file, { what: 'size' })) return part as DatabaseSize
  throw new Error('the thread that measured the database had no answer')
}

/** `writeLeaving` by a thread of its own: it hashes and compresses. An embedded database only. */
export async function archiveAside(
  store: Store,
  { keys, ...order }: LeavingOrder & { keys: DataKeys },
): Promise<Leaving> {
  if (store.file === undefined) return { what: 'nothing' }
  const { directory, before, newest, atLeast, largest, dryRun } = order
  const { auditPublicKey } = keys
  const job: ReadingJob = { what: 'archive', auditPublicKey, directory, before, newest, atLeast, largest, dryRun }
  for await (const part of parts(store.file, job)) return part as Leaving
  throw new Error('the thread that wrote audit events had no answer')
}

/** `exportAudit` by a thread of its own: pieces of many lines. */
export function exportAuditAside(store: Store, fromSeq: number): AsyncIterable<string> {
  if (store.file === undefined) return exportAudit(store.db, fromSeq)
  return parts(store.file, { what: 'export', fromSeq }) as AsyncIterable<string>
}

/** What a thread reads, piece by piece, each when it is wanted; the thread ends with the last or when nobody wants more. */
async function* parts(file: string, job: ReadingJob): AsyncGenerator<unknown> {
  const order: ReadingOrder = { file, job }
  const thread = new Worker(PROGRAM, { workerData: order })
  // What `once` does not wait for at this moment must not end the process; it rejects there.
  thread.on('error', () => {})
  const ended = new AbortController()
  thread.once('exit', () => ended.abort())
  try {
    for (;;) {
      // A thread that ends without a word must not be waited for.
      const [answer] = (await once(thread, 'message', { signal: ended.signal })) as [ReadingAnswer]
      if ('end' in answer) return
      yield answer.part
      thread.postMessage('more')
    }
  } finally {
    await thread.terminate()
  }
}
