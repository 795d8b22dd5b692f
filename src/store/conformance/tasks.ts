import { expect, it } from 'vitest'
import {
  enqueueTask,
  failTask,
  finishTask,
  type NewTask,
  nextTaskAt,
  releaseTakenTasks,
  takeTask,
  whyPutOff,
} from '../runs/tasks.ts'
import type { Bench } from './bench.ts'

export function taskConformance(bench: () => Bench): void {
  const enqueue = (task: NewTask) => bench().store.transaction((tx) => enqueueTask(tx, task))
  const take = (by = bench().store.server) => bench().store.transaction((tx) => takeTask(tx, bench().clock.now(), by))
  const nextAt = () => nextTaskAt(bench().store.db)

  it('gives what is due, earliest first, each once', async () => {
    const now = bench().clock.now()
    await enqueue({ kind: 'deploy', key: 'b', runAt: now - 1 })
    await enqueue({ kind: 'deploy', key: 'a', runAt: now - 2, payload: { commit: 'c1' } })
    await enqueue({ kind: 'deploy', key: 'later', runAt: now + 5 })
    expect(await nextAt()).toBe(now - 2)
    expect(await take()).toMatchObject({ dedupeKey: 'a', payload: { commit: 'c1' }, attempt: 1, takenAt: now })
    expect(await take()).toMatchObject({ dedupeKey: 'b' })
    expect(await take()).toBeNull()
    expect(await nextAt()).toBe(now + 5)
    bench().clock.advance(5)
    expect(await take()).toMatchObject({ dedupeKey: 'later' })
    expect(await nextAt()).toBeNull()
  })

  it('merges pending tasks of one kind and key: earliest time, newest payload', async () => {
    const now = bench().clock.now()
    await enqueue({ kind: 'preview', key: 'mr', runAt: now + 10, payload: { head: 1 } })
    await enqueue({ kind: 'preview', key: 'mr', runAt: now + 20, payload: { head: 2 } })
    await enqueue({ kind: 'preview', key: 'mr', runAt: now + 5, payload: { head: 3 } })
    await enqueue({ kind: 'preview', key: 'mr', runAt: now + 7, payload: { head: 4 } })
    await enqueue({ kind: 'comment', key: 'mr', runAt: now + 30 })
    expect(await nextAt()).toBe(now + 5)
    bench().clock.advance(5)
    expect(await take()).toMatchObject({ kind: 'preview', payload: { head: 4 } })
    expect(await take()).toBeNull()
  })

  it('puts new work behind a task that is being handled and does not hand it out beside that', async () => {
    await enqueue({ kind: 'preview', key: 'mr', payload: { head: 1 } })
    const first = await take()
    await enqueue({ kind: 'preview', key: 'mr', payload: { head: 2 } })
    expect(await take()).toBeNull()
    expect(await nextAt()).toBeNull()
    await bench().store.transaction((tx) => finishTask(tx, first?.id ?? ''))
    expect(await take()).toMatchObject({ payload: { head: 2 }, attempt: 1 })
  })

  it('tries a failed task again later, counting the attempts', async () => {
    const { clock, store } = bench()
    await enqueue({ kind: 'deploy', key: 'x' })
    const first = await take()
    await store.transaction((tx) => failTask(tx, first?.id ?? '', 'no route to host', clock.now() + 100))
    expect(await take()).toBeNull()
    clock.advance(100)
    const asked = { key: 'x', kinds: ['preview', 'deploy'] }
    expect(await whyPutOff(bench().store.db, asked)).toEqual({ why: 'no route to host', runAt: clock.now() })
    expect(await whyPutOff(bench().store.db, { ...asked, key: 'another' })).toBeNull()
    expect(await take()).toMatchObject({ attempt: 2, lastError: 'no route to host' })
  })

  it('lets the newer task go on alone when the older one fails', async () => {
    const { clock, store } = bench()
    await enqueue({ kind: 'deploy', key: 'x', payload: { n: 1 } })
    const first = await take()
    await enqueue({ kind: 'deploy', key: 'x', payload: { n: 2 }, runAt: clock.now() + 50 })
    await store.transaction((tx) => failTask(tx, first?.id ?? '', 'oops', clock.now() + 20))
    clock.advance(20)
    expect(await take()).toMatchObject({ payload: { n: 2 }, attempt: 2, lastError: 'oops' })
    expect(await take()).toBeNull()
  })

  it('gives the tasks of a dead process back at start-up', async () => {
    const { store } = bench()
    await enqueue({ kind: 'a', key: 'x' })
    await enqueue({ kind: 'b', key: 'y', payload: { n: 1 } })
    expect(await take('server_gone')).toMatchObject({ takenBy: 'server_gone' })
    await take('server_gone')
    await enqueue({ kind: 'b', key: 'y', payload: { n: 2 } })
    expect(await store.transaction((tx) => releaseTakenTasks(tx))).toBe(2)
    const again = [await take(), await take(), await take()]
    expect(new Set(again.map((task) => task?.kind))).toEqual(new Set(['a', 'b', undefined]))
    expect(again.find((task) => task?.kind === 'b')?.payload).toEqual({ n: 2 })
  })
}
