import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { Kysely } from 'kysely'
import { exportAudit } from '../audit/audit.ts'
import { writeLeaving } from '../audit/leaving.ts'
import { verifyAudit } from '../audit/verify.ts'
import { verifierOf } from '../database/keys.ts'
import type { Database } from '../database/schema.ts'
import { sqliteDialect } from '../database/sqlite/dialect.ts'
import { openForReading } from '../database/sqlite/open.ts'
import { databaseSize } from '../database/sqlite/size.ts'
import type { ReadingAnswer, ReadingJob, ReadingOrder } from './jobs.ts'

/** Characters of an export that go to the server's thread at once. */
const PIECE = 256 * 1024

const port = parentPort
if (!port) throw new Error('this is the program of a thread')
const { file, job } = workerData as ReadingOrder
const db = new Kysely<Database>({
  dialect: sqliteDialect({ database: openForReading(file), file }),
})
const say = (answer: ReadingAnswer): void => port.postMessage(answer)
try {
  for await (const part of answersOf(job)) {
    say({ part })
    await once(port, 'message')
  }
  say({ end: true })
} finally {
  await db.destroy()
  port.close()
}

async function* answersOf(wanted: ReadingJob): AsyncGenerator {
  if (wanted.what === 'verify') {
    const { kept, auditPublicKey } = wanted
    yield await verifyAudit(db, { keys: { verify: verifierOf(auditPublicKey) }, ...(kept && { kept }) })
    return
  }
  if (wanted.what === 'size') {
    yield await databaseSize(db)
    return
  }
  if (wanted.what === 'archive') {
    const { auditPublicKey, what: _, ...order } = wanted
    yield await writeLeaving(db, { verify: verifierOf(auditPublicKey) }, order)
    return
  }
  let piece = ''
  for await (const line of exportAudit(db, wanted.fromSeq)) {
    piece += line
    if (piece.length < PIECE) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}
