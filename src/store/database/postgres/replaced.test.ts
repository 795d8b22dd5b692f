import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWithTool } from '../../../../test/tools.ts'
import { openStore, type Store } from '../../open.ts'
import { enqueueTask, releaseTakenTasks, takeTask } from '../../runs/tasks.ts'
import { getMeta, setMeta } from '../meta.ts'
import { LOCKS } from './locks.ts'
import { type PostgresServer, startPostgres } from './testing/cluster.ts'

const PATIENCE = { timeout: 180_000, interval: 20 }

describeWithTool('postgres', 'a server whose place another one takes', (tool) => {
  let server: PostgresServer
  let database: string
  let directory: string
  const stores: Store[] = []
  let closed: Store | undefined
  const open = async (name: string): Promise<Store> => {
    const store = await openStore(join(directory, name), { database })
    stores.push(store)
    return store
  }
  beforeAll(async () => {
    server = await startPostgres(tool.path)
    database = await server.database()
    directory = await mkdtemp(join(tmpdir(), 'trueup-replaced-'))
  })
  afterAll(async () => {
    for (const store of stores.filter((each) => each !== closed)) await store.close()
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
  })
  /** Ends the connection by which a server holds the database, and nothing else of it. */
  const cutHolder = () =>
    server.query(
      database,
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and classid = ${LOCKS.family} and objid = ${LOCKS.serving}`,
    )
  const enqueue = (store: Store, key: string) => store.transaction((tx) => enqueueTask(tx, { kind: 'deploy', key }))
  const take = (store: Store) => store.transaction((tx) => takeTask(tx, store.clock.now(), store.server))
  const release = (store: Store) => store.transaction((tx) => releaseTakenTasks(tx))

  it('goes on after its connection broke, and keeps what it handles', async () => {
    const first = await open('first')
    await enqueue(first, 'a')
    const task = await take(first)
    expect(task).toMatchObject({ dedupeKey: 'a', takenBy: first.server })
    await cutHolder()
    await vi.waitFor(() => setMeta(first.db, 'who', 'first'), PATIENCE)
    expect(await release(first)).toBe(0)
    expect(first.lost.aborted).toBe(false)
  })

  it('writes nothing once another one was there, and the other takes up its work', async () => {
    const [first] = stores
    const second = await vi.waitFor(async () => {
      await cutHolder()
      return await open('second')
    }, PATIENCE)
    expect(second.server).not.toBe(first!.server)
    expect(await release(second)).toBe(1)
    expect(await take(second)).toMatchObject({ dedupeKey: 'a', attempt: 2, takenBy: second.server })
    expect(await release(second)).toBe(0)
    await vi.waitFor(() => expect(first!.lost.aborted).toBe(true), PATIENCE)
    await expect(setMeta(first!.db, 'who', 'first again')).rejects.toMatchObject({ code: 'DATA_LOCKED' })
    // It may have the lock again when the other is gone, and remembers what is no longer so: its time is over.
    await second.close()
    closed = second
    await expect(first!.transaction((tx) => setMeta(tx, 'who', 'late'))).rejects.toMatchObject({ code: 'DATA_LOCKED' })
    expect(await getMeta(first!.db, 'who')).toBe('first')
  })

  it('learns it from its next transaction where its own connection never broke', async () => {
    const third = await open('third')
    await server.query(database, `update "servers" set "id" = 'server_other'`)
    await expect(setMeta(third.db, 'who', 'third')).rejects.toMatchObject({ code: 'DATA_LOCKED' })
    expect(third.lost.aborted).toBe(true)
    expect(await getMeta(third.db, 'who')).toBe('first')
  })
})
