import type { Decision, Grant, Params, Result } from '../../src/worker/protocol.ts'

/** One run as the peer keeps it. */
export interface PeerRun {
  grant: Grant
  files: { [path: string]: string | { content: string; mode: number } }
  state:
    | 'queued'
    | 'leased'
    | 'preparing'
    | 'planning'
    | 'applying'
    | 'verifying'
    | 'succeeded'
    | 'failed'
    | 'canceled'
    | 'lost'
  /** Every state that was entered, in order. */
  history: string[]
  log: string
  plans: Params<'plan'>[]
  applied: Params<'applied'>[]
  finished: Params<'finish'>[]
  cancelRequested: boolean
  /** What is said to a plan; default: apply it when it has changes and the run may change something. */
  decide?: (plan: Params<'plan'>) => Decision
  leaseUntil: number
}

const LEASED = ['leased', 'preparing', 'planning', 'applying', 'verifying']
const FINAL = ['succeeded', 'failed', 'canceled', 'lost']
const STOP: Decision = { action: 'stop', reason: 'nothing to do' }

/** The rules of the real server about runs, in memory: fencing, leases, log offsets, decisions. */
export interface PeerRuns {
  all: Map<string, PeerRun>
  lease(request: string): Result<'lease'>
  heartbeat(params: Params<'heartbeat'>): Result<'heartbeat'>
  state(params: Params<'state'>): void
  log(params: Params<'log'>): Result<'log'>
  plan(params: Params<'plan'>): Decision
  applied(params: Params<'applied'>): void
  finish(params: Params<'finish'>): void
  /** The worker said what it holds: whatever else was leased to it is taken back. */
  holding(held: { runId: string; fence: number }[]): void
  /** The run if `fence` still holds it. */
  held(runId: string, fence: number): PeerRun
}

export class LeaseLost extends Error {}

export function peerRuns(now: () => number = Date.now): PeerRuns {
  const all = new Map<string, PeerRun>()
  const answered = new Map<string, Grant | null>()
  const decisions = new Map<string, Decision>()

  const enter = (run: PeerRun, state: PeerRun['state']) => {
    if (run.state === state) return
    run.state = state
    run.history.push(state)
  }
  const takeBack = (run: PeerRun) =>
    enter(run, run.state === 'applying' || run.state === 'verifying' ? 'lost' : 'queued')
  const expire = () => {
    for (const run of all.values()) if (LEASED.includes(run.state) && run.leaseUntil < now()) takeBack(run)
  }
  const held = (runId: string, fence: number): PeerRun => {
    expire()
    const run = all.get(runId)
    if (!run || run.grant.fence !== fence || !LEASED.includes(run.state)) throw new LeaseLost(runId)
    return run
  }
  const same = (run: PeerRun | undefined, fence: number) =>
    run && run.grant.fence === fence && FINAL.includes(run.state)

  return {
    all,
    held,
    lease(request) {
      expire()
      const known = answered.get(request)
      if (known !== undefined) return { grant: known }
      const run = [...all.values()].find(({ state }) => state === 'queued')
      if (run) {
        run.grant = { ...run.grant, fence: run.grant.fence + 1 }
        run.leaseUntil = now() + run.grant.leaseMs
        enter(run, 'leased')
      }
      const grant = run?.grant ?? null
      answered.set(request, grant)
      return { grant }
    },
    heartbeat({ runs }) {
      const news = { cancel: [] as string[], lost: [] as string[] }
      for (const { runId, fence } of runs) {
        try {
          const run = held(runId, fence)
          run.leaseUntil = now() + run.grant.leaseMs
          if (run.cancelRequested) news.cancel.push(runId)
        } catch {
          news.lost.push(runId)
        }
      }
      return news
    },
    state: ({ runId, fence, state }) => enter(held(runId, fence), state),
    log({ runId, fence, offset, text }) {
      const run = held(runId, fence)
      if (offset === run.log.length) run.log += text
      return { next: run.log.length }
    },
    plan(params) {
      const { runId, fence } = params
      const known = decisions.get(`${runId} ${fence}`)
      if (known) return known
      const run = held(runId, fence)
      run.plans.push(params)
      const changes = run.grant.kind !== 'preview' && run.grant.kind !== 'drift' && params.plan.changes.length > 0
      const decision = run.decide?.(params) ?? (changes ? { action: 'apply', variables: run.grant.variables } : STOP)
      enter(run, decision.action === 'apply' ? 'applying' : 'succeeded')
      decisions.set(`${runId} ${fence}`, decision)
      return decision
    },
    applied(params) {
      const run = held(params.runId, params.fence)
      if (run.applied.length === 0) run.applied.push(params)
    },
    finish(params) {
      const run = all.get(params.runId)
      if (same(run, params.fence) && run!.finished.length > 0) return
      const current = held(params.runId, params.fence)
      current.finished.push(params)
      enter(current, params.status === 'returned' ? 'queued' : params.status)
    },
    holding(list) {
      for (const run of all.values()) {
        const kept = list.some(({ runId, fence }) => runId === run.grant.runId && fence === run.grant.fence)
        if (!kept && LEASED.includes(run.state)) takeBack(run)
      }
    },
  }
}
