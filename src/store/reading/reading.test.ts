import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { appendAudit, auditHead, exportAudit } from '../audit/audit.ts'
import { signCheckpoint, verifyAudit } from '../audit/verify.ts'
import { type DataKeys, openKeys } from '../database/keys.ts'
import { openStore, type Store } from '../open.ts'
import { exportAuditAside, verifyAuditAside } from './reading.ts'

describe('reading the whole audit chain aside', () => {
  let dataDir: string
  let store: Store
  let keys: DataKeys
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'trueup-reading-'))
    store = await openStore(dataDir)
    keys = await openKeys(dataDir, store.db)
    await store.transaction(async (tx) => {
      for (let at = 0; at < 3_000; at++)
        await appendAudit(tx, {
          actor: 'system',
          action: 'test.made',
          subject: `s${at}`,
          data: { text: 'x'.repeat(200) },
        })
      await signCheckpoint(tx, keys)
    })
  })
  afterAll(async () => {
    await store.close()
    await rm(dataDir, { recursive: true })
  })

  it('says what reading it here says, also of a head that was kept', async () => {
    const kept = await auditHead(store.db)
    expect(await verifyAuditAside(store, keys, kept)).toEqual(await verifyAudit(store.db, { keys, kept }))
    const other = { ...kept, hash: '1'.repeat(64) }
    expect(await verifyAuditAside(store, keys, other)).toMatchObject({ ok: false, firstBad: { kind: 'kept' } })
  })

  it('exports the same lines, and ends when nobody reads on', async () => {
    let text = ''
    for await (const piece of exportAuditAside(store, 1)) text += piece
    let lines = ''
    for await (const line of exportAudit(store.db)) lines += line
    expect(text).toBe(lines)
    for await (const piece of exportAuditAside(store, 2_999)) {
      expect(JSON.parse(piece.split('\n')[0]!)).toMatchObject({ seq: 2_999 })
      break
    }
  })
})
