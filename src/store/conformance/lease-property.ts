import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  isFinal,
  isStateChanging,
  LEASED_STATES,
  RUN_KINDS,
  RUN_TRANSITIONS,
  type RunState,
} from '../../domain/runs/run.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import { expireLeases, renewLeases } from '../runs/lease.ts'
import { listRuns, requestCancel, type RunSummary, transitionRun } from '../runs/runs.ts'
import type { Database } from '../database/schema.ts'
import { type Bench, type OpenStore, openBench } from './bench.ts'

type Step =
  | { do: 'create'; stack: number; kind: (typeof RUN_KINDS)[number]; sequence: number; needs: number }
  | { do: 'claim'; worker: number; request: number; leaseMs: number }
  | { do: 'advance'; ms: number }
  | { do: 'renew'; worker: number }
  | { do: 'expire'; after: number }
  | { do: 'cancel'; run: number }
  /** A grant, perhaps a stale one, tries to go some way. */
  | { do: 'move'; grant: number; way: number }
  /** A grant goes on towards the end of the run. */
  | { do: 'progress'; grant: number; times: number }
  | { do: 'fail'; grant: number }
  /** The worker of a grant dies while it applies. */
  | { do: 'vanish'; grant: number }
  /** The engine moves a run that nobody holds. */
  | { do: 'decide'; run: number; way: number }

const LONGEST_LEASE_MS = 50

const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant('create' as const),
      stack: fc.nat(1),
      kind: fc.constantFrom(...RUN_KINDS),
      sequence: fc.nat(3),
      needs: fc.nat(8),
    }),
    fc.record({
      do: fc.constant('claim' as const),
      worker: fc.nat(2),
      request: fc.nat(3),
      leaseMs: fc.integer({ min: 1, max: LONGEST_LEASE_MS }),
    }),
    fc.record({
      do: fc.constant('claim' as const),
      worker: fc.nat(2),
      request: fc.integer({ min: 4, max: 1000 }),
      leaseMs: fc.integer({ min: 1, max: LONGEST_LEASE_MS }),
    }),
    fc.record({ do: fc.constant('advance' as const), ms: fc.nat(30) }),
    fc.record({ do: fc.constant('renew' as const), worker: fc.nat(2) }),
    fc.record({ do: fc.constant('expire' as const), after: fc.nat(40) }),
    fc.record({ do: fc.constant('cancel' as const), run: fc.nat(20) }),
    fc.record({ do: fc.constant('move' as const), grant: fc.nat(20), way: fc.nat(5) }),
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('progress' as const),
        grant: fc.nat(3),
        times: fc.integer({ min: 1, max: 5 }),
      }),
    },
    fc.record({ do: fc.constant('fail' as const), grant: fc.nat(3) }),
    fc.record({ do: fc.constant('vanish' as const), grant: fc.nat(3) }),
    fc.record({ do: fc.constant('decide' as const), run: fc.nat(20), way: fc.nat(5) }),
  ),
  { minLength: 30, maxLength: 60, size: 'max' },
)

const PROGRESS: { [State in RunState]?: RunState } = {
  leased: 'preparing',
  preparing: 'planning',
  planning: 'applying',
  applying: 'verifying',
  verifying: 'succeeded',
}

interface GrantSeen {
  runId: string
  fence: number
  worker: string
  request: string
}

/** `histories`: how many random ones are tried; each is in a store of its own. */
export function leaseProperty(open: OpenStore, histories: number): void {
  it('never gives one run to two holders, nor a stack two writers, in any sequence of events', {
    timeout: 300_000,
  }, async () => {
    const reached = new Set<RunState>()
    await fc.assert(
      fc.asyncProperty(steps, async (sequence) => {
        const bench = await openBench(open)
        try {
          const grants: GrantSeen[] = []
          for (const step of sequence) {
            await take(bench, step, grants)
            for (const state of await checkRuns(bench)) reached.add(state)
          }
        } finally {
          await bench.dispose()
        }
      }),
      { numRuns: histories },
    )
    // A property about states that are never reached would say nothing.
    for (const state of ['queued', ...LEASED_STATES, 'succeeded', 'failed', 'canceled', 'lost'] as const)
      expect(reached).toContain(state)
  })
}

async function take(bench: Bench, step: Step, grants: GrantSeen[]): Promise<void> {
  const { store, clock } = bench
  const runs = async () => (await listRuns(store.db, {}, { limit: 500 })).items
  switch (step.do) {
    case 'create': {
      const stack = await bench.stack(`stack-${step.stack}`)
      const needs = (await runs())[step.needs]
      await bench.run(stack, {
        kind: step.kind,
        ...(step.sequence > 0 && { mergeSequence: step.sequence }),
        ...(needs && step.needs < 2 && { dependsOn: [needs.id] }),
      })
      return
    }
    case 'claim': {
      const worker = `worker_${step.worker}`
      const request = `request ${step.request}`
      const run = await bench.claim(worker, request, step.leaseMs)
      if (!run) return
      const seen = grants.find((grant) => grant.runId === run.id && grant.fence === run.fence)
      // The same token comes twice only as the answer to the same question.
      if (seen) expect(seen).toMatchObject({ worker, request })
      const highest = Math.max(0, ...grants.filter((grant) => grant.runId === run.id).map((grant) => grant.fence))
      expect(run.fence).toBeGreaterThanOrEqual(seen ? highest : highest + 1)
      if (!seen) grants.push({ runId: run.id, fence: run.fence, worker, request })
      return
    }
    case 'advance':
      return clock.advance(step.ms)
    case 'renew': {
      const worker = `worker_${step.worker}`
      const held = grants.filter((grant) => grant.worker === worker)
      const { lost } = await store.transaction((tx) => renewLeases(tx, worker, held, 20))
      for (const run of await runs()) {
        const mine = run.workerId === worker && run.leaseUntil !== null
        if (mine) expect(run.leaseUntil).toBe(clock.now() + 20)
        else if (held.some((grant) => grant.runId === run.id)) expect(lost).toContain(run.id)
      }
      return
    }
    case 'expire': {
      clock.advance(step.after)
      await store.transaction((tx) => expireLeases(tx, clock.now()))
      for (const run of await runs())
        expect(run.leaseUntil ?? Number.POSITIVE_INFINITY).toBeGreaterThanOrEqual(clock.now())
      return
    }
    case 'cancel': {
      const run = (await runs())[step.run]
      if (run) await store.transaction((tx) => requestCancel(tx, { runId: run.id, reason: 'test', actor: 'system' }))
      return
    }
    case 'move': {
      const grant = newest(grants, step.grant)
      if (grant) await moveAsHolder(bench, grant, (state) => RUN_TRANSITIONS[state][step.way])
      return
    }
    case 'progress': {
      const grant = newest(grants, step.grant)
      for (let time = 0; grant && time < step.times; time++)
        await moveAsHolder(bench, grant, (state) => PROGRESS[state])
      return
    }
    case 'fail': {
      const grant = newest(grants, step.grant)
      if (grant) await moveAsHolder(bench, grant, (state) => RUN_TRANSITIONS[state].find((to) => to === 'failed'))
      return
    }
    case 'vanish': {
      const grant = newest(grants, step.grant)
      for (let time = 0; grant && time < 3; time++)
        await moveAsHolder(bench, grant, (state) => (state === 'applying' ? undefined : PROGRESS[state]))
      return await take(bench, { do: 'expire', after: LONGEST_LEASE_MS + 1 }, grants)
    }
    case 'decide': {
      const run = (await runs())[step.run]
      const to = run && RUN_TRANSITIONS[run.state].filter((state) => state !== 'leased')[step.way]
      if (run && to && run.leaseUntil === null)
        await store.transaction((tx) => transitionRun(tx, { runId: run.id, to, actor: 'system' }))
      return
    }
  }
}

/** The newest grant, or one of those before it; any where there are not that many. */
const newest = (grants: readonly GrantSeen[], back: number): GrantSeen | undefined =>
  grants.at(-1 - (back % Math.max(1, grants.length)))

/**
 * A holder goes on as long as its token is the run's and it is leased; a stale one is always refused. A run that somebody
 * wants canceled ends instead of waiting again.
 */
async function moveAsHolder(
  { store }: Bench,
  grant: GrantSeen,
  wayFrom: (state: RunState) => RunState | undefined,
): Promise<void> {
  const run = (await listRuns(store.db, {}, { limit: 500 })).items.find((listed) => listed.id === grant.runId)
  if (!run) throw new Error('a granted run is gone')
  const to = wayFrom(run.state)
  if (!to || to === 'leased') return
  const holds = run.fence === grant.fence && run.leaseUntil !== null
  const outcome = await store
    .transaction((tx) => transitionRun(tx, { runId: run.id, to, fence: grant.fence, actor: `worker:${grant.worker}` }))
    .then(
      (moved) => moved.state,
      (error: unknown) => (error instanceof TrueupError ? error.code : String(error)),
    )
  const waits = !(LEASED_STATES as readonly RunState[]).includes(to) && !isFinal(to)
  const reached = waits && run.cancelRequestedAt !== null ? 'canceled' : to
  expect(outcome).toBe(holds ? reached : 'LEASE_LOST')
}

/** What `run-ready.ts` promises, said once more over all rows: whether a queued run may be granted. */
function mayBeGranted(run: RunSummary, runs: readonly RunSummary[], needs: readonly RunDependency[]): boolean {
  const succeeded = (id: string) => runs.some((other) => other.id === id && other.state === 'succeeded')
  if (needs.some((need) => need.runId === run.id && !succeeded(need.dependsOnRunId))) return false
  if (!isStateChanging(run.kind)) return true
  const leased: readonly RunState[] = LEASED_STATES
  const order = (of: RunSummary) => [of.mergeSequence ?? 0, of.createdAt, of.id] as const
  const before = (a: RunSummary, b: RunSummary) => {
    const [x, y] = [order(a), order(b)]
    const at = x[0] !== y[0] ? 0 : x[1] !== y[1] ? 1 : 2
    return (x[at] ?? 0) < (y[at] ?? 0)
  }
  return !runs.some((other) => {
    if (other.stackId !== run.stackId || other.id === run.id || !isStateChanging(other.kind)) return false
    if (leased.includes(other.state)) return true
    const pendingDeploy = !isFinal(other.state) && other.kind !== 'heal'
    return pendingDeploy && (run.kind === 'heal' || before(other, run))
  })
}

type RunDependency = Database['runDependencies']

async function checkRuns({ store }: Bench): Promise<RunState[]> {
  const { items } = await listRuns(store.db, {}, { limit: 500 })
  const leased: readonly RunState[] = LEASED_STATES
  const writers = new Map<string, number>()
  const needs = await store.db.selectFrom('runDependencies').selectAll().execute()
  for (const run of items) {
    expect(run.ready, `${run.kind} ${run.id} ${run.state}`).toBe(
      run.state === 'queued' && mayBeGranted(run, items, needs),
    )
    const active = leased.includes(run.state)
    expect(run.leaseUntil !== null).toBe(active)
    expect(run.finishedAt !== null).toBe(isFinal(run.state))
    if (active && isStateChanging(run.kind)) writers.set(run.stackId, (writers.get(run.stackId) ?? 0) + 1)
  }
  for (const [stack, count] of writers) expect(count, `writers of ${stack}`).toBe(1)
  return items.map((run) => run.state)
}
