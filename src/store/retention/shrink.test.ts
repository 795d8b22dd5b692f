import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { appendAudit } from '../audit/audit.ts'
import { verifyAudit } from '../audit/verify.ts'
import { setMeta } from '../database/meta.ts'
import { freePages } from '../database/sqlite/vacuum.ts'
import { openStore, type Store } from '../open.ts'
import { DATABASE_FILE } from '../store.ts'
import { temporaryDirectory } from '../testing/directory.ts'
import { giveBackFree } from './shrink.ts'
import { vacuumOffline } from './vacuum-offline.ts'

const NOTHING_KEPT = { pages: 0, share: 0 }

describe('the file of the database', () => {
  let store: Store | undefined
  afterEach(async () => {
    await store?.close()
    store = undefined
  })
  const fill = async (count: number) => {
    for (let at = 0; at < count; at++)
      await store!.transaction((tx) =>
        appendAudit(tx, { actor: 'system', action: 'test.made', subject: `s${at}`, data: { x: 'x'.repeat(100_000) } }),
      )
  }
  const size = async (dataDir: string, end = '') => (await stat(join(dataDir, `${DATABASE_FILE}${end}`))).size

  it('gets smaller when a new one has free pages, a few at a time, and keeps some', async () => {
    const dataDir = await temporaryDirectory()
    store = await openStore(dataDir)
    await fill(40)
    await store.db.deleteFrom('audit').where('seq', '<', 38).execute()
    const before = await freePages(store.db)
    expect(before).toMatchObject({ mode: 'incremental' })
    expect(before.free).toBeGreaterThan(800)
    expect(await giveBackFree(store)).toBe(0)
    // With them goes what said where they are.
    const given = await giveBackFree(store, { kept: { pages: 500, share: 0 } })
    expect(given).toBeGreaterThanOrEqual((before.free - 500) * before.pageSize)
    expect((await freePages(store.db)).free).toBeLessThanOrEqual(500)
    await giveBackFree(store, { kept: NOTHING_KEPT })
    const after = await freePages(store.db)
    expect(after.free).toBe(0)
    expect(await store.db.selectFrom('audit').select('seq').execute()).toHaveLength(3)
    await store.close()
    store = undefined
    expect(await size(dataDir)).toBe(after.pages * after.pageSize)
  })

  it('of an earlier version is written anew while no server runs, and gives back from then on', async () => {
    const dataDir = await temporaryDirectory()
    store = await openStore(dataDir)
    await fill(20)
    await store.close()
    store = undefined
    // As it was made before: without the pages that say where others are.
    const database = new DatabaseSync(join(dataDir, DATABASE_FILE))
    database.exec('pragma auto_vacuum = none; vacuum')
    database.close()
    store = await openStore(dataDir)
    expect(await freePages(store.db)).toMatchObject({ mode: 'none' })
    await fill(20)
    await store.transaction((tx) => setMeta(tx, 'large', 'x'.repeat(3_000_000)))
    await store.db.deleteFrom('meta').where('key', '=', 'large').execute()
    expect(await giveBackFree(store, { kept: NOTHING_KEPT })).toBe(0)
    await expect(vacuumOffline(dataDir)).rejects.toMatchObject({ code: 'DATA_LOCKED' })
    await store.close()
    store = undefined
    const { before, after } = await vacuumOffline(dataDir)
    expect(after).toBeLessThan(before - 2_000_000)
    store = await openStore(dataDir)
    expect(await freePages(store.db)).toMatchObject({ mode: 'incremental', free: 0 })
    expect(await verifyAudit(store.db)).toMatchObject({ ok: true, count: 40 })
  })

  it('has a log beside it that does not grow with what is written', async () => {
    const dataDir = await temporaryDirectory()
    store = await openStore(dataDir)
    await fill(150)
    expect(await size(dataDir)).toBeGreaterThan(10_000_000)
    expect(await size(dataDir, '-wal')).toBeLessThan(6_000_000)
  })
})
