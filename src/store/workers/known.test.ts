import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openStore, type Store } from '../open.ts'
import { knownWorkers } from './known.ts'
import { lastSeen } from './last-seen.ts'
import { createWorker, getWorker, patchWorker, revokeWorker } from './workers.ts'

let directory: string
let store: Store
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trueup-known-'))
  store = await openStore(directory)
})
afterAll(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

let made = 0
const enrolled = () =>
  store.transaction((tx) =>
    createWorker(tx, { name: `w${made++}`, kind: 'agent', pools: ['a'], publicKey: { x: 'k1' }, builtin: false }),
  )

it('a worker is read once, and anew as soon as it has changed', async () => {
  const { id } = await enrolled()
  const workers = knownWorkers(store)
  const first = await workers.get(id)
  expect(first).toMatchObject({ pools: ['a'], revokedAt: null, keys: [{ id: 'k1', until: null }] })
  expect(await workers.get(id)).toBe(first)
  await store.transaction((tx) => patchWorker(tx, id, { pools: ['b'], info: { draining: true } }))
  expect(await workers.get(id)).toMatchObject({ pools: ['b'], draining: true })
  await store.transaction((tx) => revokeWorker(tx, id))
  expect(await workers.get(id)).toMatchObject({ revokedAt: expect.any(Number) })
})

it('what is being read while it changes is not kept', async () => {
  const { id } = await enrolled()
  const workers = knownWorkers(store)
  const [written, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const change = store.transaction(async (tx) => {
    await patchWorker(tx, id, { pools: ['b'] })
    written.resolve()
    await read.promise
  })
  await written.promise
  const before = workers.get(id)
  read.resolve()
  await Promise.all([change, before])
  expect(await workers.get(id)).toMatchObject({ pools: ['b'] })
})

it('many who are heard of are one write, which makes nobody be read anew', async () => {
  const ids = (await Promise.all(Array.from({ length: 230 }, enrolled))).map(({ id }) => id)
  const workers = knownWorkers(store)
  const known = await Promise.all(ids.map((id) => workers.get(id)))
  const told: string[] = []
  const end = store.changes.subscribe((changes) => void told.push(...changes.map(({ id }) => id)))
  for (const id of ids) lastSeen(store).note(id)
  await lastSeen(store).flush()
  end()
  expect(told.sort()).toEqual([...ids].sort())
  for (const id of ids) expect((await getWorker(store.db, id))!.lastSeenAt).not.toBeNull()
  for (const [at, id] of ids.entries()) expect(workers.now(id)).toBe(known[at])
})
