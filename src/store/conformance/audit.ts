import { generateKeyPairSync, sign, verify } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { AUDIT_GENESIS, auditHash } from '../../domain/audit.ts'
import { appendAudit, auditHead, exportAudit } from '../audit/audit.ts'
import { listAudit } from '../audit/list.ts'
import { signCheckpoint, verifyAudit } from '../audit/verify.ts'
import type { Tx } from '../database/context.ts'
import type { DataKeys } from '../database/keys.ts'
import type { Database } from '../database/schema.ts'
import type { Bench } from './bench.ts'

/** The signing half of DataKeys, in memory. */
export function auditKeys(): DataKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const unused = () => {
    throw new Error('not used here')
  }
  return {
    auditKeyId: 'test',
    auditPublicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    seal: unused,
    open: unused,
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
    verify: (text, signature) => verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64url')),
  }
}

export function auditConformance(bench: () => Bench): void {
  const append = async (count: number) => {
    for (let i = 0; i < count; i++) {
      bench().clock.advance(1)
      await bench().store.transaction((tx) =>
        appendAudit(tx, { actor: 'user:ada', action: `test.${i % 2 ? 'odd' : 'even'}`, subject: `s${i}`, data: { i } }),
      )
    }
  }
  const db = () => bench().store.db

  it('numbers and chains the events', async () => {
    expect(await auditHead(db())).toEqual({ seq: 0, hash: AUDIT_GENESIS })
    await append(3)
    const { items } = await listAudit(db())
    expect(items.map((event) => event.seq)).toEqual([3, 2, 1])
    expect(items[0]?.previousHash).toBe(items[1]?.hash)
    expect(items[2]?.previousHash).toBe(AUDIT_GENESIS)
    expect(await auditHead(db())).toEqual({ seq: 3, hash: items[0]?.hash })
    const verdict = await verifyAudit(db())
    const none = { breaks: [], total: 0, reseals: [], archived: null }
    expect(verdict).toEqual({ ok: true, count: 3, checkpoints: 0, ...none })
  })

  it('is written in a transaction only: two at once outside of one are refused, and the chain stays whole', async () => {
    await append(1)
    const outside = db() as unknown as Tx
    const event = { actor: 'system', action: 'test.outside', subject: 'x' }
    const two = await Promise.allSettled([appendAudit(outside, event), appendAudit(outside, event)])
    for (const one of two)
      expect(one).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('outside') } })
    await append(1)
    expect(await verifyAudit(db())).toMatchObject({ ok: true, count: 2 })
  })

  it('keeps one chain when one transaction writes several events at once', async () => {
    const event = (i: number) => ({ actor: 'system', action: 'test.at_once', subject: `s${i}` })
    await bench().store.transaction((tx) => Promise.all([1, 2, 3, 4, 5].map((i) => appendAudit(tx, event(i)))))
    expect(await verifyAudit(db())).toMatchObject({ ok: true, count: 5 })
  })

  it('hashes what is read back, whatever characters the texts hold', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('\ud800', 'a\udc00b', '\ud83d\ud83d\ude00', 'a\0b', '\ufeffx', 'e\u0301', '\r\n', '\ufffe\uffff'),
    )
    await fc.assert(
      fc.asyncProperty(text, text, text, text, async (actor, action, subject, data) => {
        await bench().store.transaction((tx) => appendAudit(tx, { actor, action, subject, data: { [data]: data } }))
      }),
      { numRuns: 60 },
    )
    const wild = { actor: '\ud800', action: 'a\0b', subject: '\udc00', repositoryId: 'r\ud800', data: { t: '\ud800' } }
    await bench().store.transaction((tx) => appendAudit(tx, wild))
    expect(await verifyAudit(db())).toMatchObject({ ok: true, count: 61 })
    expect((await listAudit(db(), {}, { limit: 1 })).items[0]).toMatchObject({ actor: '\ufffd', action: 'a\ufffdb' })
  })

  it('leaves no gap behind a transaction that was rolled back', async () => {
    await append(1)
    const failed = bench().store.transaction(async (tx) => {
      await appendAudit(tx, { actor: 'system', action: 'test.lost', subject: 'x' })
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    await append(1)
    expect(await verifyAudit(db())).toMatchObject({ ok: true, count: 2 })
  })

  it('keeps one chain when many write at the same time', async () => {
    await Promise.all(Array.from({ length: 20 }, () => append(5)))
    expect(await verifyAudit(db())).toMatchObject({ ok: true, count: 100 })
  })

  it('reads on over more than a page', async () => {
    await bench().store.transaction(async (tx) => {
      for (let i = 0; i < 2100; i++) await appendAudit(tx, { actor: 'system', action: 'test.bulk', subject: 'x' })
    })
    expect(await verifyAudit(db())).toMatchObject({ ok: true, count: 2100 })
  })

  const tamper: { [name: string]: Partial<Database['audit']> } = {
    'changed data': { dataJson: '{"i":99}' },
    'another actor': { actor: 'user:eve' },
    'another time': { at: 1 },
    'another hash': { hash: 'f'.repeat(64) },
  }
  it.each(Object.entries(tamper))('notices %s', async (_name, change) => {
    await append(5)
    await db().updateTable('audit').set(change).where('seq', '=', 3).execute()
    expect(await verifyAudit(db())).toMatchObject({ ok: false, count: 2, firstBad: { seq: 3 } })
  })

  it('notices a link that was removed from the middle, and an end that was cut off', async () => {
    await append(5)
    await db().deleteFrom('audit').where('seq', '=', 5).execute()
    expect(await verifyAudit(db())).toMatchObject({ ok: false, count: 4, firstBad: { seq: 5 } })
    await db().deleteFrom('audit').where('seq', '=', 2).execute()
    expect(await verifyAudit(db())).toMatchObject({ ok: false, count: 1, firstBad: { seq: 2 } })
  })

  /** What someone who may write to the database can do: cut the chain and its head, or write a whole new one. */
  const cutTo = async (seq: number) => {
    await db().deleteFrom('audit').where('seq', '>', seq).execute()
    const { hash } = await db().selectFrom('audit').select('hash').where('seq', '=', seq).executeTakeFirstOrThrow()
    await db().updateTable('auditHead').set({ seq, hash }).execute()
  }

  it('notices that the recorded head was removed', async () => {
    await append(3)
    await db().deleteFrom('auditHead').execute()
    expect(await verifyAudit(db())).toMatchObject({ ok: false, firstBad: { seq: 1 } })
  })

  it('notices by its checkpoints a chain that was cut off with its head', async () => {
    const keys = auditKeys()
    await append(4)
    expect(await bench().store.transaction((tx) => signCheckpoint(tx, keys))).toMatchObject({ seq: 4 })
    expect(await bench().store.transaction((tx) => signCheckpoint(tx, keys))).toBeNull()
    await append(2)
    expect(await verifyAudit(db(), { keys })).toMatchObject({ ok: true, count: 6, checkpoints: 1 })
    await cutTo(4)
    expect(await verifyAudit(db(), { keys })).toMatchObject({ ok: true, count: 4 })
    await cutTo(3)
    expect(await verifyAudit(db(), { keys })).toMatchObject({ ok: false, count: 3, firstBad: { seq: 4 } })
  })

  it('notices by the signature a chain that was written anew with its checkpoints', async () => {
    const keys = auditKeys()
    await append(2)
    const kept = await auditHead(db())
    await bench().store.transaction((tx) => signCheckpoint(tx, keys))
    const rows = await db().selectFrom('audit').selectAll().orderBy('seq').execute()
    let previousHash = AUDIT_GENESIS
    for (const row of rows) {
      const forged = { ...row, actor: 'user:nobody', previousHash }
      const hash = auditHash(previousHash, forged)
      await db()
        .updateTable('audit')
        .set({ ...forged, hash })
        .where('seq', '=', row.seq)
        .execute()
      previousHash = hash
    }
    await db().updateTable('auditHead').set({ hash: previousHash }).execute()
    await db().updateTable('auditCheckpoints').set({ hash: previousHash }).execute()
    expect(await verifyAudit(db())).toMatchObject({ ok: true })
    expect(await verifyAudit(db(), { keys })).toMatchObject({ ok: false, firstBad: { seq: 2 } })
    expect(await verifyAudit(db(), { kept })).toMatchObject({ ok: false, firstBad: { seq: 2 } })
  })

  it('filters by member, time and prefix of the action', async () => {
    const start = bench().clock.now()
    await append(4)
    const actions = async (filter: Parameters<typeof listAudit>[1]) =>
      (await listAudit(db(), filter)).items.map((event) => event.seq)
    expect(await actions({ action: 'test.odd' })).toEqual([4, 2])
    expect(await actions({ action: 'test.' })).toEqual([4, 3, 2, 1])
    expect(await actions({ action: 'tes.' })).toEqual([])
    expect(await actions({ subject: 's1' })).toEqual([2])
    expect(await actions({ from: start + 2, until: start + 4 })).toEqual([3, 2])
    expect(await actions({ actor: 'user:bob' })).toEqual([])
    const first = await listAudit(db(), {}, { limit: 3 })
    expect((await listAudit(db(), {}, { limit: 3, cursor: first.next ?? '' })).items.map((e) => e.seq)).toEqual([1])
  })

  it('exports lines from which anyone can verify the chain', async () => {
    await append(3)
    let previousHash = AUDIT_GENESIS
    let count = 0
    for await (const line of exportAudit(db())) {
      expect(line.endsWith('\n')).toBe(true)
      const row = JSON.parse(line) as Database['audit']
      expect(auditHash(previousHash, row)).toBe(row.hash)
      previousHash = row.hash
      count++
    }
    expect(count).toBe(3)
  })
}
