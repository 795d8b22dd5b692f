import { expect, it } from 'vitest'
import type { Plan } from '../../domain/plans/plan.ts'
import { canTransition, isFinal, RUN_STATES, type RunState } from '../../domain/runs/run.ts'
import { listAudit } from '../audit/list.ts'
import { explainWait, latestPlanned, poolsWithRunsDue, releaseHeldRuns, runsWhoseTimeHasCome } from '../runs/search.ts'
import {
  createRun,
  getRun,
  listRuns,
  patchRun,
  replaceRunDependency,
  requestCancel,
  runDependencies,
  transitionRun,
} from '../runs/runs.ts'
import { type Bench, refusal } from './bench.ts'

const plan: Plan = {
  changes: [],
  coverage: { checked: 3, unchecked: [] },
  outputs: {},
  findings: [],
  toolVersions: { tofu: '1.9.0' },
  desiredDigest: 'sha256:d',
  digest: 'sha256:plan',
  summary: { create: 1, update: 2, delete: 0, replace: 0, other: 0 },
}

/** A legal way from `queued` to each state; `leased` is entered by a claim. */
const WAYS: { [State in RunState]: RunState[] } = {
  queued: [],
  leased: ['leased'],
  preparing: ['leased', 'preparing'],
  planning: ['leased', 'preparing', 'planning'],
  awaiting_approval: ['leased', 'preparing', 'planning', 'awaiting_approval'],
  applying: ['leased', 'preparing', 'planning', 'applying'],
  verifying: ['leased', 'preparing', 'planning', 'applying', 'verifying'],
  succeeded: ['leased', 'preparing', 'planning', 'succeeded'],
  failed: ['failed'],
  canceled: ['canceled'],
  superseded: ['superseded'],
  blocked: ['blocked'],
  lost: ['leased', 'preparing', 'planning', 'applying', 'lost'],
}

export function runConformance(bench: () => Bench): void {
  const move = (runId: string, to: RunState, more = {}) =>
    bench().store.transaction((tx) => transitionRun(tx, { runId, to, actor: 'system', ...more }))
  const walk = async (runId: string, state: RunState) => {
    for (const step of WAYS[state]) {
      if (step === 'leased') expect((await bench().claim())?.id).toBe(runId)
      else await move(runId, step)
    }
  }

  it('reads back what was written', async () => {
    const { store, run, stack, clock } = bench()
    const vpc = await stack('vpc')
    const made = await run(vpc, { kind: 'preview', provisional: true, approvedPlan: plan, mergeSequence: 7 })
    expect(made).toMatchObject({
      state: 'queued',
      priority: 20,
      provisional: true,
      pool: 'default',
      attempt: 1,
      fence: 0,
    })
    expect(made.spec).toEqual({ path: 'vpc' })
    expect(made.approvedPlan).toEqual(plan)
    expect(made.createdAt).toBe(clock.now())
    expect(await getRun(store.db, made.id)).toEqual(made)
    expect(await getRun(store.db, 'run_none')).toBeUndefined()
  })

  it('allows exactly the transitions of the table', async () => {
    for (const from of RUN_STATES) {
      for (const to of RUN_STATES) {
        if (to === 'leased') continue
        const { id } = await bench().run(await bench().stack(`${from}-${to}`))
        await walk(id, from)
        if (canTransition(from, to)) {
          const moved = await move(id, to)
          expect(moved.state).toBe(to)
          expect(moved.finishedAt !== null).toBe(isFinal(to))
        } else {
          const refused = await refusal(move(id, to), 'RUN_TRANSITION')
          expect(refused.text.why).toContain(`"${from}"`)
          expect((await getRun(bench().store.db, id))?.state).toBe(from)
        }
        // Out of the way of the next claim.
        const left = await getRun(bench().store.db, id)
        if (left && canTransition(left.state, 'failed')) await move(id, 'failed')
      }
    }
  })

  it('refuses a state that the caller did not expect', async () => {
    const { id } = await bench().run(await bench().stack('vpc'))
    await refusal(move(id, 'failed', { from: ['planning'] }), 'RUN_TRANSITION')
    await refusal(move('run_none', 'failed'), 'NOT_FOUND')
  })

  it("refuses a token that is not the run's, and any token once nobody holds the run", async () => {
    const { id } = await bench().run(await bench().stack('vpc'))
    const claimed = await bench().claim()
    await refusal(move(id, 'preparing', { fence: 0 }), 'LEASE_LOST')
    await move(id, 'preparing', { fence: claimed?.fence })
    await move(id, 'planning', { fence: 1 })
    await move(id, 'awaiting_approval', { fence: 1 })
    await refusal(move(id, 'queued', { fence: 1 }), 'LEASE_LOST')
    await refusal(
      bench().store.transaction((tx) => patchRun(tx, id, { plan }, 1)),
      'LEASE_LOST',
    )
  })

  it('sets times, clears the lease and writes one audit event for each state', async () => {
    const { clock, run, stack, claim, store } = bench()
    const { id, createdAt } = await run(await stack('vpc'))
    clock.advance(1000)
    const leased = await claim('worker_a', 'q', 30_000)
    expect(leased).toMatchObject({ startedAt: createdAt + 1000, leaseUntil: createdAt + 31_000, workerId: 'worker_a' })
    clock.advance(1000)
    await move(id, 'preparing')
    await move(id, 'planning')
    const waiting = await move(id, 'awaiting_approval', { reason: 'plan_changed', patch: { plan }, fence: 1 })
    expect(waiting).toMatchObject({
      leaseUntil: null,
      leaseRequest: null,
      workerId: 'worker_a',
      finishedAt: null,
      updatedAt: createdAt + 2000,
      reason: 'plan_changed',
      planDigest: 'sha256:plan',
      planSummary: plan.summary,
    })
    expect(waiting.plan).toEqual(plan)
    const again = await move(id, 'queued', { actor: 'user:ada' })
    expect(again).toMatchObject({ workerId: null, reason: null, startedAt: createdAt + 1000 })
    const ended = await move(id, 'canceled', { reason: 'by_user', actor: 'user:ada' })
    expect(ended.finishedAt).toBe(createdAt + 2000)
    const { items } = await listAudit(store.db, { subject: id })
    expect(items.map((event) => event.action).reverse()).toEqual([
      'run.queued',
      'run.leased',
      'run.preparing',
      'run.planning',
      'run.awaiting_approval',
      'run.queued',
      'run.canceled',
    ])
    expect(items[0]).toMatchObject({ actor: 'user:ada', data: { from: 'queued', reason: 'by_user', fence: 1 } })
  })

  it('writes neither state nor audit event when the transaction fails', async () => {
    const { store, run, stack } = bench()
    const { id } = await run(await stack('vpc'))
    const attempt = store.transaction(async (tx) => {
      await transitionRun(tx, { runId: id, to: 'failed', actor: 'system' })
      throw new Error('the follow-up could not be written')
    })
    await expect(attempt).rejects.toThrow('follow-up')
    expect((await getRun(store.db, id))?.state).toBe('queued')
    expect((await listAudit(store.db, { action: 'run.failed' })).items).toEqual([])
  })

  it('lists newest first, filtered, page by page, without the heavy members', async () => {
    const { store, run, stack, clock } = bench()
    const [vpc, app] = [await stack('vpc'), await stack('app')]
    const ids: string[] = []
    for (let i = 0; i < 7; i++) {
      clock.advance(1)
      ids.unshift((await run(i === 3 ? app : vpc, { kind: i % 2 ? 'deploy' : 'preview' })).id)
    }
    const first = await listRuns(store.db, {}, { limit: 3 })
    expect(first.items.map((item) => item.id)).toEqual(ids.slice(0, 3))
    expect(first.items[0]).not.toHaveProperty('spec')
    const second = await listRuns(store.db, {}, { limit: 3, cursor: first.next ?? '' })
    const third = await listRuns(store.db, {}, { limit: 3, cursor: second.next ?? '' })
    expect([...first.items, ...second.items, ...third.items].map((item) => item.id)).toEqual(ids)
    expect(third.next).toBeNull()
    expect((await listRuns(store.db, { stackId: app.id })).items.map((item) => item.id)).toEqual([ids[3]])
    expect((await listRuns(store.db, { kinds: ['deploy'], states: ['queued'] })).items).toHaveLength(3)
    expect((await listRuns(store.db, { states: [] })).items).toEqual([])
  })

  it('cancels at once what nobody holds and asks the worker for the rest', async () => {
    const { store, run, stack, claim } = bench()
    const cancel = (runId: string) =>
      store.transaction((tx) => requestCancel(tx, { runId, reason: 'by_user', actor: 'user:ada' }))
    const leased = await run(await stack('a'))
    await claim()
    const queued = await run(await stack('b'))
    expect(await cancel(queued.id)).toMatchObject({ state: 'canceled', reason: 'by_user' })
    expect(await cancel(leased.id)).toMatchObject({ state: 'leased', cancelReason: 'by_user' })
    const ended = await cancel(queued.id)
    expect(ended.state).toBe('canceled')
    await refusal(cancel('run_none'), 'NOT_FOUND')
  })

  it('keeps dependencies in both directions', async () => {
    const { store, run, stack } = bench()
    const [a, b] = [await run(await stack('a')), await run(await stack('b'))]
    const c = await run(await stack('c'), { dependsOn: [a.id, b.id, a.id] })
    expect(await runDependencies(store.db, c.id)).toEqual({ dependsOn: [a.id, b.id].sort(), dependents: [] })
    expect(await runDependencies(store.db, a.id)).toEqual({ dependsOn: [], dependents: [c.id] })
    const d = await run(await stack('d'))
    await store.transaction((tx) => replaceRunDependency(tx, c.id, a.id, d.id))
    expect((await runDependencies(store.db, c.id)).dependsOn).toEqual([b.id, d.id].sort())
  })

  it('finds the newest plan of a desired state, and runs that are active', async () => {
    const { store, run, stack, claim, clock } = bench()
    const vpc = await stack('vpc')
    const planned = async (kind: 'preview' | 'drift') => {
      const { id } = await run(vpc, { kind, mergeSequence: 3 })
      await claim()
      clock.advance(1)
      for (const state of ['preparing', 'planning'] as const) await move(id, state)
      await move(id, 'succeeded', { patch: { plan } })
      return id
    }
    const [first, second] = [await planned('preview'), await planned('drift')]
    const find = (more = {}) =>
      latestPlanned(store.db, {
        stackId: vpc.id,
        desiredDigest: 'sha256:d',
        kinds: ['preview', 'drift'],
        notRunId: '',
        ...more,
      })
    expect((await find())?.id).toBe(second)
    expect((await find({ notRunId: second }))?.plan).toEqual(plan)
    expect(await find({ desiredDigest: 'sha256:other' })).toBeUndefined()
    const ids = async (filter: Parameters<typeof listRuns>[1]) =>
      (await listRuns(store.db, filter)).items.map((item) => item.id)
    expect(await ids({ stackId: vpc.id })).toEqual([second, first])
  })

  it('lets held runs go, and tells which pools have runs whose time has come', async () => {
    const { store, run, stack, repository, clock } = bench()
    const held = { notBefore: clock.now() + 1000, reason: 'frozen' }
    const [one, two] = [await run(await stack('a'), held), await run(await stack('b'), { ...held, reason: 'backoff' })]
    expect(await poolsWithRunsDue(store.db, clock.now(), clock.now() + 999)).toEqual([])
    expect(await poolsWithRunsDue(store.db, clock.now(), clock.now() + 1000)).toEqual(['default'])
    const release = (environment: string) =>
      store.transaction((tx) => releaseHeldRuns(tx, { repositoryId: repository.id, environment, reasons: ['frozen'] }))
    expect(await release('staging')).toBe(0)
    expect(await release('production')).toBe(1)
    expect((await getRun(store.db, one.id))?.notBefore).toBe(clock.now())
    expect((await getRun(store.db, two.id))?.notBefore).toBe(held.notBefore)
  })

  it('says anew why a run waits whose time has come', async () => {
    const { store, run, stack, clock, claim } = bench()
    const one = await run(await stack('a'), { notBefore: clock.now() + 1000, reason: 'frozen', message: 'holidays' })
    const two = await run(await stack('b'), { notBefore: clock.now() + 1000, reason: 'other' })
    const explain = (id: string, now: number) => {
      const wait = { reason: null, message: null, notBefore: null }
      return store.transaction((tx) => explainWait(tx, id, wait, { reasons: ['frozen'], now }))
    }
    const due = async (now: number) => await runsWhoseTimeHasCome(store.db, { reasons: ['frozen'], now, limit: 9 })
    const later = clock.now() + 1000
    expect([await due(later - 1), await explain(one.id, later - 1)]).toEqual([[], false])
    expect(await due(later)).toMatchObject([{ id: one.id }])
    expect(await explain(two.id, later)).toBe(false)
    expect(await explain(one.id, later)).toBe(true)
    expect(await getRun(store.db, one.id)).toMatchObject({ reason: null, message: null, notBefore: null })
    expect((await claim())?.id).toBe(one.id)
    expect(await explain(one.id, later)).toBe(false)
  })

  it('refuses runs of stacks that do not exist, and writes nothing', async () => {
    const { store, repository } = bench()
    const attempt = store.transaction((tx) =>
      createRun(tx, {
        stackId: 'stack_none',
        repositoryId: repository.id,
        kind: 'deploy',
        commitOid: 'c',
        desiredDigest: 'd',
        spec: {},
        actor: 'system',
      }),
    )
    await expect(attempt).rejects.toThrow(/foreign key/i)
    expect((await listRuns(store.db)).items).toEqual([])
  })
}
