import { expect, it } from 'vitest'
import type { RunState } from '../../domain/runs/run.ts'
import { expireLeases, type HeldRun, MAX_ATTEMPTS, renewLeases } from '../runs/lease.ts'
import { getRun, requestCancel, transitionRun } from '../runs/runs.ts'
import type { Bench } from './bench.ts'

export function leaseConformance(bench: () => Bench): void {
  const expire = () => bench().store.transaction((tx) => expireLeases(tx, bench().clock.now()))
  const renew = (worker: string, held: HeldRun[], leaseMs = 1000) =>
    bench().store.transaction((tx) => renewLeases(tx, worker, held, leaseMs))
  const move = async (runId: string, ...states: RunState[]) => {
    for (const to of states) await bench().store.transaction((tx) => transitionRun(tx, { runId, to, actor: 'system' }))
  }
  const leased = async (name: string, ...states: RunState[]) => {
    const { id } = await bench().run(await bench().stack(name))
    const run = await bench().claim('worker_a', `lease of ${name}`, 1000)
    expect(run?.id).toBe(id)
    await move(id, ...states)
    return { runId: id, fence: run?.fence ?? 0 }
  }

  it('lengthens the leases of whoever holds them and tells what is lost', async () => {
    const { clock, store } = bench()
    const held = await leased('a')
    clock.advance(900)
    expect(await renew('worker_a', [held, { runId: 'run_none', fence: 1 }])).toEqual({ lost: ['run_none'], cancel: [] })
    clock.advance(900)
    expect(await expire()).toEqual([])
    expect(await renew('worker_b', [held])).toEqual({ lost: [held.runId], cancel: [] })
    expect(await renew('worker_a', [{ ...held, fence: 0 }])).toEqual({ lost: [held.runId], cancel: [] })
    await move(held.runId, 'failed')
    expect(await renew('worker_a', [held])).toEqual({ lost: [held.runId], cancel: [] })
    expect((await getRun(store.db, held.runId))?.leaseUntil).toBeNull()
  })

  it('passes on the wish to cancel', async () => {
    const held = await leased('a')
    await bench().store.transaction((tx) =>
      requestCancel(tx, { runId: held.runId, reason: 'by_user', actor: 'user:ada' }),
    )
    expect(await renew('worker_a', [held])).toEqual({ lost: [], cancel: [held.runId] })
  })

  it.each(['queued', 'awaiting_approval'] as const)(
    'ends a run that somebody wants canceled where it would be %s again',
    async (to) => {
      const { store } = bench()
      const held = await leased('a', 'preparing', 'planning')
      await store.transaction((tx) => requestCancel(tx, { runId: held.runId, reason: 'by_user', actor: 'user:ada' }))
      const moved = await store.transaction((tx) =>
        transitionRun(tx, { ...held, to, reason: 'returned', message: 'later', actor: 'worker:worker_a' }),
      )
      expect(moved).toMatchObject({ state: 'canceled', reason: 'by_user', message: null, leaseUntil: null })
    },
  )

  it.each(['leased', 'preparing', 'planning'] as const)(
    'queues a run again that went silent while %s',
    async (state) => {
      const ways: { [state: string]: RunState[] } = {
        leased: [],
        preparing: ['preparing'],
        planning: ['preparing', 'planning'],
      }
      const held = await leased('a', ...(ways[state] ?? []))
      bench().clock.advance(1000)
      expect(await expire()).toEqual([])
      bench().clock.advance(1)
      const [expired, ...others] = await expire()
      expect(others).toEqual([])
      expect(expired).toMatchObject({ from: state, workerId: 'worker_a' })
      expect(expired?.run).toMatchObject({
        state: 'queued',
        reason: 'lease_expired',
        attempt: 2,
        fence: 1,
        workerId: null,
      })
      expect(await renew('worker_a', [held])).toEqual({ lost: [held.runId], cancel: [] })
      expect(await bench().claim('worker_b')).toMatchObject({ id: held.runId, fence: 2 })
    },
  )

  it.each(['applying', 'verifying'] as const)('gives a run up as lost that went silent while %s', async (state) => {
    const ways = state === 'applying' ? [] : ['verifying' as const]
    const held = await leased('a', 'preparing', 'planning', 'applying', ...ways)
    bench().clock.advance(1001)
    const [expired] = await expire()
    expect(expired?.run).toMatchObject({ id: held.runId, state: 'lost', reason: 'lease_expired', workerId: 'worker_a' })
    expect(await bench().claim()).toBeNull()
  })

  it('fails a run after so many silent leases', async () => {
    const { clock, claim } = bench()
    const held = await leased('a')
    for (let attempt = 1; attempt < MAX_ATTEMPTS; attempt++) {
      clock.advance(60_000)
      expect((await expire())[0]?.run).toMatchObject({ state: 'queued', attempt: attempt + 1 })
      expect((await claim('worker_a', `q${attempt}`, 1000))?.fence).toBe(attempt + 1)
    }
    clock.advance(60_000)
    expect((await expire())[0]?.run).toMatchObject({ id: held.runId, state: 'failed', reason: 'too_many_attempts' })
  })

  it('cancels instead of queueing again what someone wanted canceled', async () => {
    const held = await leased('a', 'preparing')
    await bench().store.transaction((tx) =>
      requestCancel(tx, { runId: held.runId, reason: 'by_user', actor: 'user:ada' }),
    )
    bench().clock.advance(1001)
    expect((await expire())[0]?.run).toMatchObject({ state: 'canceled', reason: 'by_user' })
  })
}
