import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { openStore, type Store } from '../../open.ts'
import { getMeta, setMeta } from '../meta.ts'
import { LOCKS } from './locks.ts'
import { type PostgresServer, startPostgres } from './testing/cluster.ts'

const PATIENCE = { timeout: 180_000, interval: 50 }

describeWithTool('postgres', 'what waits for PostgreSQL', (tool) => {
  let server: PostgresServer
  let store: Store
  let database: string
  let other: pg.Client
  let dataDir: string
  beforeAll(async () => {
    server = await startPostgres(tool.path)
    dataDir = await mkdtemp(join(tmpdir(), 'trueup-store-'))
    database = await server.database()
    store = await openStore(dataDir, { database })
    other = new pg.Client(database)
    await other.connect()
  })
  afterAll(async () => {
    await other?.end()
    await store?.close()
    await server?.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  /** Pids of our connections that wait for the lock of writers. Inside of a transaction the first look would be the last. */
  const waiting = async (): Promise<number[]> => {
    const { rows } = await server.query(
      database,
      `select pid from pg_stat_activity where application_name = 'trueup' and wait_event_type = 'Lock'`,
    )
    return rows.map(({ pid }) => Number(pid))
  }
  const reads = () => Promise.all(Array.from({ length: 40 }, () => getMeta(store.db, 'one')))

  it.each(['pg_cancel_backend', 'pg_terminate_backend'])(
    'a transaction that %s ends while it waits spoils no connection for others',
    async (end) => {
      await setMeta(store.db, 'one', 'before')
      await other.query('begin')
      await other.query(`select pg_advisory_xact_lock(${LOCKS.family}, ${LOCKS.writing})`)
      const ways = [store.transaction((tx) => setMeta(tx, 'one', 'in')), setMeta(store.db, 'one', 'alone')]
      const ended = Promise.allSettled(ways)
      await vi.waitFor(async () => expect(await waiting()).toHaveLength(2), PATIENCE)
      // Reads wait for nobody.
      expect(new Set(await reads())).toEqual(new Set(['before']))
      for (const pid of await waiting()) await other.query(`select ${end}(${pid})`)
      for (const way of await ended)
        expect(way).toMatchObject({ status: 'rejected', reason: { code: 'DATABASE_UNREACHABLE' } })
      await other.query('rollback')
      expect(new Set(await reads())).toEqual(new Set(['before']))
      await store.transaction((tx) => setMeta(tx, 'one', 'after'))
      expect(new Set(await reads())).toEqual(new Set(['after']))
    },
  )

  it('an error that was caught inside spoils its transaction, and is not told as success', async () => {
    const caught = store.transaction(async (tx) => {
      await setMeta(tx, 'two', 'lost')
      await tx
        .selectFrom('nowhere' as 'meta')
        .selectAll()
        .execute()
        .catch(() => undefined)
    })
    await expect(caught).rejects.toThrow('the transaction ended with ROLLBACK')
    expect(await getMeta(store.db, 'two')).toBeNull()
  })
})
