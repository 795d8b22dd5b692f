import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { noteChange } from '../database/context.ts'
import { getMeta, setMeta } from '../database/meta.ts'
import type { Change } from '../open.ts'
import type { Bench } from './bench.ts'

export function transactionConformance(bench: () => Bench): void {
  it('keeps all of a transaction or nothing', async () => {
    const { store } = bench()
    await store.transaction((tx) => setMeta(tx, 'kept', 'yes'))
    const thrown = store.transaction(async (tx) => {
      await setMeta(tx, 'kept', 'overwritten')
      await setMeta(tx, 'lost', 'yes')
      throw new Error('change of mind')
    })
    await expect(thrown).rejects.toThrow('change of mind')
    expect(await getMeta(store.db, 'kept')).toBe('yes')
    expect(await getMeta(store.db, 'lost')).toBeNull()
  })

  it('serialises transactions that read and then write', async () => {
    const { store } = bench()
    await store.transaction((tx) => setMeta(tx, 'count', '0'))
    const increment = () =>
      store.transaction(async (tx) => {
        const count = Number(await getMeta(tx, 'count'))
        await setMeta(tx, 'count', String(count + 1))
      })
    await Promise.all(Array.from({ length: 50 }, increment))
    expect(await getMeta(store.db, 'count')).toBe('50')
  })

  it('tells subscribers after the commit, each thing once, and nothing of what was rolled back', async () => {
    const { store } = bench()
    const told: Change[][] = []
    let seenByListener: Promise<string | null> | undefined
    const unsubscribe = store.changes.subscribe((changes) => {
      told.push([...changes])
      seenByListener = getMeta(store.db, 'fact')
    })
    await store.transaction(async (tx) => {
      await setMeta(tx, 'fact', 'written')
      noteChange(tx, { topic: 'run', id: 'run_1' })
      noteChange(tx, { topic: 'run', id: 'run_1' })
      noteChange(tx, { topic: 'stack', id: 'stack_1' })
      expect(told).toEqual([])
    })
    expect(told).toEqual([
      [
        { topic: 'run', id: 'run_1' },
        { topic: 'stack', id: 'stack_1' },
      ],
    ])
    expect(await seenByListener).toBe('written')

    const rolledBack = store.transaction((tx) => {
      noteChange(tx, { topic: 'run', id: 'run_2' })
      return Promise.reject(new Error('no'))
    })
    await expect(rolledBack).rejects.toThrow('no')
    unsubscribe()
    await store.transaction(async (tx) => noteChange(tx, { topic: 'run', id: 'run_3' }))
    expect(told).toHaveLength(1)
  })

  it('tells the other subscribers when one throws, and the transaction has succeeded all the same', async () => {
    const { store } = bench()
    const told: string[] = []
    store.changes.subscribe(() => {
      throw new Error('a broken listener')
    })
    store.changes.subscribe((changes) => told.push(...changes.map((change) => change.id)))
    expect(
      await store.transaction(async (tx) => {
        noteChange(tx, { topic: 'run', id: 'run_1' })
        return 'result'
      }),
    ).toBe('result')
    expect(told).toEqual(['run_1'])
  })

  it('throws instead of waiting for itself when the store is used inside a transaction', async () => {
    const { store } = bench()
    if (store.dialect !== 'sqlite') return
    await expect(store.transaction(() => getMeta(store.db, 'x'))).rejects.toThrow('inside a transaction')
    await expect(store.transaction(() => store.transaction(async () => 1))).rejects.toThrow('inside a transaction')
    expect(await getMeta(store.db, 'x')).toBeNull()
  })

  it('lets others read what was committed while a transaction is open, and write after it', async () => {
    const { store } = bench()
    await store.transaction((tx) => setMeta(tx, 'fact', 'before'))
    const [begun, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const open = store.transaction(async (tx) => {
      await setMeta(tx, 'fact', 'after')
      begun.resolve()
      await mayEnd.promise
      expect(await getMeta(tx, 'fact')).toBe('after')
    })
    await begun.promise
    expect(await getMeta(store.db, 'fact')).toBe('before')
    expect((await sql<{ value: string }>`select value from meta where key = 'fact'`.execute(store.db)).rows).toEqual([
      { value: 'before' },
    ])
    const written = setMeta(store.db, 'fact', 'later')
    mayEnd.resolve()
    await open
    await written
    expect(await getMeta(store.db, 'fact')).toBe('later')
  })

  it('leaves the rest of the process its turn in the middle of a long transaction', async () => {
    const { store } = bench()
    let turned = false
    setImmediate(() => (turned = true))
    await store.transaction(async (tx) => {
      while (!turned) await setMeta(tx, 'busy', 'yes')
    })
    expect(turned).toBe(true)
  })

  it('lets work that a transaction started use the store once it is over', async () => {
    const { store } = bench()
    const committed = Promise.withResolvers<void>()
    let later: Promise<string | null> | undefined
    await store.transaction(async (tx) => {
      await setMeta(tx, 'fact', 'written')
      later = committed.promise.then(() => getMeta(store.db, 'fact'))
    })
    committed.resolve()
    expect(await later).toBe('written')
  })

  it('leaves the rest of the process its turn while queries follow each other', async () => {
    const { store } = bench()
    let ticks = 0
    const timer = setInterval(() => ticks++, 5)
    const end = performance.now() + 300
    while (performance.now() < end) await store.transaction((tx) => setMeta(tx, 'busy', 'yes'))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(5)
  })
}
