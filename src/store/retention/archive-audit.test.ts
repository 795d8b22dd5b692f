import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { AUDIT_GENESIS, auditHash } from '../../domain/audit.ts'
import { AuditCheckpointFile } from '../../domain/audit-archive.ts'
import { appendAudit, auditHead, exportAudit } from '../audit/audit.ts'
import { readRows } from '../audit/archive-file.ts'
import { auditArchives, type AuditRow } from '../audit/chain.ts'
import { writeLeaving } from '../audit/leaving.ts'
import { resealAudit } from '../audit/reseal.ts'
import { refuseKeptThatLeft, signCheckpoint, verifyAudit } from '../audit/verify.ts'
import { verifyExport } from '../audit/verify-export.ts'
import { backupStore } from '../backup/backup.ts'
import { restoreStore } from '../backup/restore.ts'
import { auditKeys } from '../conformance/audit.ts'
import { movableClock, refusal } from '../conformance/bench.ts'
import { type DataKeys, openKeys } from '../database/keys.ts'
import { openStore, type Store } from '../open.ts'
import { temporaryDirectory } from '../testing/directory.ts'
import { startChild } from '../testing/process.ts'
import type { archiveAside } from '../reading/reading.ts'
import { archiveAudit } from './archive-audit.ts'

const DAY = 86_400_000
/** A thread for each call would take longer than all the rest. */
const writeHere: typeof archiveAside = (from, { keys, ...order }) => writeLeaving(from.db, keys, order)

describe('audit events that are older than they are to be kept', () => {
  let dataDir: string
  let store: Store
  let keys: DataKeys
  const clock = movableClock()
  beforeEach(async () => {
    dataDir = await temporaryDirectory()
    store = await openStore(dataDir, { clock })
    keys = await openKeys(dataDir, store.db)
  })
  afterEach(() => store.close())

  const append = async (count: number) => {
    await store.transaction(async (tx) => {
      for (let i = 0; i < count; i++) {
        clock.advance(1000)
        await appendAudit(tx, { actor: 'system', action: 'test.made', subject: `s${i}` })
      }
    })
  }
  const leave = (more: Partial<Parameters<typeof archiveAudit>[2]> = {}) =>
    archiveAudit(store, keys, { actor: 'system', before: clock.now() - 10 * DAY, ...more }, writeHere)
  const verify = (kept?: { seq: number; hash: string }) => verifyAudit(store.db, { keys, kept })
  const checkpoint = async (at = 0) => {
    const names = (await readdir(join(dataDir, 'audit'))).filter((name) => name.endsWith('.checkpoint.json')).sort()
    const file = join(dataDir, 'audit', names[at] ?? 'none')
    return AuditCheckpointFile.parse(JSON.parse(await readFile(file, 'utf8')))
  }
  const archived = async (at = 0): Promise<AuditRow[]> => {
    const { archive } = await checkpoint(at)
    const text = gunzipSync(await readFile(join(dataDir, 'audit', archive.file))).toString()
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditRow)
  }
  async function* from(rows: AuditRow[]): AsyncGenerator<AuditRow> {
    yield* rows
  }

  it('leave for a file, and the chain is proved from the signed checkpoint on', async () => {
    await append(20)
    await store.transaction((tx) => signCheckpoint(tx, keys))
    const kept = await auditHead(store.db)
    clock.advance(11 * DAY)
    await append(5)
    expect(await leave({ dryRun: true })).toBe(20)
    expect(await leave({ atLeast: 21 })).toBe(0)
    expect(await verify()).toMatchObject({ ok: true, count: 25, archived: null })
    expect(await leave()).toBe(20)
    // Five that stay, and the event that says what left.
    expect(await verify()).toMatchObject({ ok: true, count: 6, archived: { through: 20, parts: 1 } })
    expect(await auditArchives(store.db)).toMatchObject([{ fromSeq: 1, through: 20, count: 20, hash: kept.hash }])
    expect(await store.db.selectFrom('auditCheckpoints').selectAll().execute()).toEqual([])
    expect(await leave()).toBe(0)
    let lines = ''
    for await (const line of exportAudit(store.db)) lines += line
    expect(JSON.parse(lines.split('\n')[0]!)).toMatchObject({ seq: 21 })
    expect(JSON.parse(lines.trim().split('\n').at(-1)!)).toMatchObject({ seq: 26, action: 'audit.archived' })
    await refusal(refuseKeptThatLeft(store.db, kept), 'CONFLICT')
    expect(await verify(await auditHead(store.db))).toMatchObject({ ok: true })
  })

  it('leave again and again, each part behind the one before, and prove the whole chain together', async () => {
    for (let round = 0; round < 3; round++) {
      await append(4)
      clock.advance(11 * DAY)
      await append(1)
      await leave()
    }
    expect((await verify()).archived).toMatchObject({ parts: 3 })
    let previousHash = AUDIT_GENESIS
    let seq = 0
    for (const at of [0, 1, 2])
      for (const row of await archived(at)) {
        expect(row.seq).toBe(++seq)
        expect(auditHash(previousHash, row)).toBe(row.hash)
        previousHash = row.hash
      }
    expect((await auditArchives(store.db)).at(-1)).toMatchObject({ hash: previousHash, through: seq })
    const { archive, heads } = await checkpoint(1)
    expect(await verifyExport(from(await archived(1)), { archive, heads }, keys)).toMatchObject({ ok: true })
    await refusal(verifyExport(from(await archived(2)), await checkpoint(0), keys), 'INVALID_REQUEST')
  })

  it('are proved by file, checkpoint and public key, without the database; whatever was done to one of them is found', async () => {
    await append(10)
    await store.transaction((tx) => signCheckpoint(tx, keys))
    await append(2)
    clock.advance(11 * DAY)
    await append(3)
    let live = ''
    for await (const line of exportAudit(store.db)) live += line
    await leave()
    const rows = await archived()
    const signed = await checkpoint()
    const judge = (list: AuditRow[], file = signed, kept?: { seq: number; hash: string }) =>
      verifyExport(from(list), file, keys, kept)
    expect(await judge(rows)).toEqual({
      ok: true,
      fromSeq: 1,
      through: 12,
      count: 12,
      before: 0,
      after: 0,
      breaks: [],
      total: 0,
    })
    // An export that somebody made before they left, one of its end, and the one that begins behind.
    const all = live
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditRow)
    expect(await judge(all)).toMatchObject({ ok: true, count: 12, after: 3 })
    expect(await judge(all.slice(5, 12))).toMatchObject({ ok: true, count: 7, before: 5 })
    expect(await judge(all.slice(12))).toMatchObject({ ok: true, count: 3 })
    expect(await judge(rows, signed, rows[3])).toMatchObject({ ok: true })
    expect(await judge(rows, signed, { seq: 4, hash: rows[4]!.hash })).toMatchObject({ ok: false })

    const changed = rows.map((row) => (row.seq === 5 ? { ...row, actor: 'user:eve' } : row))
    const rehashed = rows.map((row) => ({ ...row, actor: 'user:eve' }))
    for (const [at, row] of rehashed.entries()) {
      row.previousHash = rehashed[at - 1]?.hash ?? AUDIT_GENESIS
      row.hash = auditHash(row.previousHash, row)
    }
    const swapped = rows.with(3, rows[4]!).with(4, rows[3]!)
    const tampered = [changed, rehashed, swapped, rows.toSpliced(5, 1), rows.slice(0, -1), [rows[0]!, ...rows]]
    for (const list of tampered) expect(await judge(list)).toMatchObject({ ok: false })
    expect(await judge(all.with(12, { ...all[12]!, previousHash: rows[3]!.hash }).slice(12))).toMatchObject({
      ok: false,
    })
    // The same hashes, said of another time or another end; signed by another key, and not.
    const { archive } = signed
    const forged = [
      { ...archive, lastAt: archive.lastAt + 1 },
      { ...archive, through: 10, hash: rows[9]!.hash },
      { ...archive, signature: auditKeys().sign('x') },
    ]
    for (const one of forged) expect(await judge(rows, { ...signed, archive: one })).toMatchObject({ ok: false })
    expect(await verifyExport(from(rows), signed, auditKeys())).toMatchObject({ ok: false })
    const lie = { ...signed, heads: signed.heads.map((head) => ({ ...head, hash: rows[0]!.hash })) }
    expect(await judge(rows, lie)).toMatchObject({ ok: false, breaks: [{ seq: 10, kind: 'checkpoint' }] })
  })

  it('cannot be said to have left by somebody who only writes the database', async () => {
    await append(10)
    clock.advance(11 * DAY)
    await append(4)
    await leave()
    const [archive] = await auditArchives(store.db)
    const rows = await store.db.selectFrom('audit').selectAll().orderBy('seq').execute()
    const attempt = async (damage: () => Promise<unknown>, undo: () => Promise<unknown>) => {
      await damage()
      const verdict = await verify()
      await undo()
      expect((await verify()).ok).toBe(true)
      return verdict
    }
    const update = (change: object) => () =>
      store.db.updateTable('auditArchives').set(change).where('through', '=', archive!.through).execute()
    const undo = () => store.db.updateTable('auditArchives').set(archive!).execute()
    // Two more events are made to have left.
    const more = { through: 12, hash: rows[1]!.hash, count: 12 }
    const undoMore = async () => {
      await store.db.updateTable('auditArchives').set(archive!).execute()
      await store.db.insertInto('audit').values(rows.slice(0, 2)).execute()
    }
    const damageMore = async () => {
      await update(more)()
      await store.db.deleteFrom('audit').where('seq', '<=', 12).execute()
    }
    expect(await attempt(damageMore, undoMore)).toMatchObject({ ok: false, firstBad: { kind: 'checkpoint' } })
    for (const change of [
      { hash: rows[0]!.hash },
      { at: 5 },
      { count: 9 },
      { file: 'other' },
      { previousHash: rows[0]!.hash },
    ])
      expect(await attempt(update(change), undo)).toMatchObject({ ok: false })
    const gone = await attempt(
      () => store.db.deleteFrom('auditArchives').execute(),
      () => store.db.insertInto('auditArchives').values(archive!).execute(),
    )
    expect(gone).toMatchObject({ ok: false, firstBad: { seq: 1, kind: 'missing' } })
    // And no reseal makes it good.
    await update({ at: 5 })()
    await store.transaction((tx) => resealAudit(tx, keys, { actor: 'user:eve', reason: 'so be it' }))
    expect(await verify()).toMatchObject({ ok: false, firstBad: { kind: 'checkpoint' } })
  })

  it('stay where the chain is broken, and while a reseal that covers them stays', async () => {
    await append(6)
    clock.advance(11 * DAY)
    await append(2)
    await store.db.updateTable('audit').set({ actor: 'user:eve' }).where('seq', '=', 3).execute()
    const refused = await refusal(leave(), 'CONFLICT')
    expect(refused.text.why).toContain('broken at event 3')
    expect(await store.db.selectFrom('audit').select('seq').execute()).toHaveLength(8)
    await store.transaction((tx) => resealAudit(tx, keys, { actor: 'user:ada', reason: 'a test' }))
    await append(1)
    expect(await leave()).toBe(0)
    clock.advance(11 * DAY)
    await append(1)
    expect(await leave()).toBe(10)
    expect(await verify()).toMatchObject({ ok: true, reseals: [] })
    expect(await verifyExport(from(await archived()), await checkpoint(), keys)).toMatchObject({
      ok: true,
      count: 10,
    })
    // A reseal after it speaks of what is there.
    await store.db.updateTable('audit').set({ actor: 'user:eve' }).where('seq', '=', 11).execute()
    await store.transaction((tx) => resealAudit(tx, keys, { actor: 'user:ada', reason: 'again' }))
    expect(await verify()).toMatchObject({ ok: true, reseals: [{ reason: 'again' }] })
  })

  it('leave by their number too, in the order of their numbers when the clock went back', async () => {
    await append(5)
    clock.advance(30 * DAY)
    await append(1)
    clock.advance(-30 * DAY)
    await append(4)
    clock.advance(11 * DAY)
    // Event 6 says that it is young: it keeps those behind it.
    expect(await leave()).toBe(5)
    expect(await leave({ before: undefined, newest: 3 })).toBe(3)
    expect(await verify()).toMatchObject({ ok: true, archived: { through: 8, parts: 2 } })
    expect(await leave({ before: undefined, newest: 1 })).toBe(3)
    expect(await verify()).toMatchObject({ ok: true })
  })

  it('are written by a thread of its own', async () => {
    await append(8)
    clock.advance(11 * DAY)
    await append(1)
    const before = clock.now() - 10 * DAY
    expect(await archiveAudit(store, keys, { actor: 'system', before })).toBe(8)
    expect(await archived()).toHaveLength(8)
    await store.db.updateTable('audit').set({ actor: 'user:eve' }).where('seq', '=', 9).execute()
    await refusal(archiveAudit(store, keys, { actor: 'system', newest: 1 }), 'CONFLICT')
  })

  it('are in a backup and come back with it', async () => {
    await append(8)
    clock.advance(11 * DAY)
    await append(1)
    await leave()
    const [target, restoredDir] = [join(dataDir, '..', `${dataDir}-backup`), `${dataDir}-restored`]
    onTestFinished(async () => {
      for (const directory of [target, restoredDir]) await rm(directory, { recursive: true, force: true })
    })
    await backupStore(dataDir, target)
    await restoreStore(target, restoredDir)
    const names = (directory: string) => readdir(join(directory, 'audit'))
    expect((await names(restoredDir)).sort()).toEqual((await names(dataDir)).sort())
  })

  it('are not read from a file that is cut off or is none', async () => {
    await append(3000)
    clock.advance(11 * DAY)
    await append(1)
    await leave()
    const { archive } = await checkpoint()
    const file = join(dataDir, 'audit', archive.file)
    const bytes = await readFile(file)
    const read = async () => {
      for await (const row of readRows(file)) expect(row.seq).toBeGreaterThan(0)
    }
    await read()
    await writeFile(file, bytes.subarray(0, bytes.length - 200))
    await refusal(read(), 'INVALID_REQUEST')
    await writeFile(file, bytes.subarray(0, 500))
    await refusal(read(), 'INVALID_REQUEST')
    await writeFile(file, '{"seq":1}\n')
    await refusal(read(), 'INVALID_REQUEST')
    await rm(file)
    await refusal(read(), 'NOT_FOUND')
  })
})

it('loses no event to a kill between any two steps', { timeout: 300_000 }, async () => {
  const dataDir = await temporaryDirectory()
  const clock = movableClock()
  let made = 0
  // Killed before the checkpoint is stored, after it, and among the deletions; the last one goes through.
  for (const [round, step] of ['before:1', 'after:1', 'after:2', 'before:3', 'none:0'].entries()) {
    const store = await openStore(dataDir, { clock })
    await openKeys(dataDir, store.db)
    await store.transaction(async (tx) => {
      for (let i = 0; i < 60; i++, made++)
        await appendAudit(tx, { actor: 'system', action: 'test.made', subject: `s${round}-${i}` })
    })
    await store.close()
    const child = startChild(['archive', dataDir, step])
    if (step === 'none:0') await child.ended
    else {
      await child.hears('hangs')
      await child.kill()
    }
    if (round === 0) {
      // As if the kill had been a moment earlier: the checkpoint is not there, and a file is half written.
      const names = await readdir(join(dataDir, 'audit'))
      await rm(join(dataDir, 'audit', names.find((name) => name.endsWith('.json'))!))
      await writeFile(join(dataDir, 'audit', `${names.find((name) => name.endsWith('.gz'))}.new`), 'half')
    }
    await check(dataDir)
  }
  expect(made).toBe(300)

  /** Every event is in the database, or in an archive that has a checkpoint, and the chain is whole. */
  async function check(directory: string): Promise<void> {
    const store = await openStore(directory, { clock })
    const keys = await openKeys(directory, store.db)
    expect(await verifyAudit(store.db, { keys })).toMatchObject({ ok: true })
    const subjects: string[] = []
    const archives = await auditArchives(store.db)
    for (const { file } of archives)
      for await (const row of readRows(join(directory, 'audit', file))) subjects.push(row.subject)
    const left = archives.at(-1)?.through ?? 0
    for (const row of await store.db.selectFrom('audit').selectAll().where('seq', '>', left).orderBy('seq').execute())
      subjects.push(row.subject)
    await store.close()
    expect(subjects.filter((subject) => subject !== 'audit')).toHaveLength(made)
    const files = await readdir(join(directory, 'audit'))
    // What a kill left behind is for the next call; a checkpoint that is stored has both of its files.
    for (const { file } of archives)
      expect(files).toEqual(expect.arrayContaining([file, file.replace('.jsonl.gz', '.checkpoint.json')]))
  }
})
