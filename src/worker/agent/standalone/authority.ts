import { TrueupError } from '../../../lib/errors/error.ts'
import { newId } from '../../../lib/ids.ts'
import type { Link, LinkEnds } from '../../connection/connect.ts'
import type { Logger } from '../../logging.ts'
import type { Grant, Method, Params, Result, WatchOrder } from '../../protocol.ts'
import type { Desired } from './desired.ts'
import { type Job, type JobFacts, nextJob, standings } from './jobs.ts'
import { judgeDeployment, judgeDrift } from './judge.ts'
import type { Begun, Ledger, StackRecord } from './ledger.ts'

const TICK_MS = 1_000
const LEASE_MS = 60_000
/** Until a deployment that went wrong is tried again: times four each time, to an hour. */
const RETRY_MS = 30_000
const LONGEST_RETRY_MS = 3_600_000
/** After a look that ended with an error. */
const AFTER_ERROR_MS = 60_000

export interface AuthorityOptions {
  repository: string
  ledger: Ledger
  /** The newest commit that was taken; undefined before the first. */
  desired: () => Desired | undefined
  variables: JobFacts['variables']
  keys: Grant['keys']
}

/** What a worker asks a server, answered by the agent itself: it says what is to be done, and remembers what was. */
export interface Authority {
  connect: (ends: LinkEnds) => Link
  /** The commit is another: there may be work, and other things to watch. */
  changed: () => void
}

export function createAuthority({ repository, ledger, desired, variables, keys }: AuthorityOptions): Authority {
  const hashKey = Buffer.from(keys.hash, 'base64')
  const facts = (): JobFacts => ({ ledger, now: Date.now(), hashKey, variables })
  /** Something happened at these stacks while they were looked at. */
  const poked = new Set<string>()
  let tell: Pick<LinkEnds, 'onEvent'> | undefined
  let log: Logger | undefined

  const handlers: { [M in Method]: (params: Params<M>) => Result<M> } = {
    hello: () => ({ workerId: repository, heartbeatMs: LEASE_MS / 3, leaseMs: LEASE_MS }),
    lease() {
      const now = desired()
      const job = now && nextJob(now, facts())
      return { grant: job ? begin(now, job) : null }
    },
    tools: () => ({}),
    logs: () => ({}),
    heartbeat: () => ({ cancel: [], lost: [] }),
    state: () => ({}),
    log: ({ offset, text }) => ({ next: offset + text.length }),
    plan({ runId, plan }) {
      const { key, record, begun } = running(runId)
      const now = desired()!
      const stack = now.stacks.find(({ definition }) => definition.key === key)
      // The commit that it was begun for is not the newest any more, which may say something else.
      if (!stack || now.commit !== begun.commit) return stop(key, {}, 'superseded')
      const at = Date.now()
      const { intervalMs } = stack.definition.drift
      const isHeal = begun.kind === 'heal'
      const verdict = isHeal ? judgeDrift(plan, now, stack, record, at) : judgeDeployment(plan, now, stack, record)
      const heals = 'heals' in verdict && verdict.heals ? { heals: verdict.heals } : {}
      switch (verdict.action) {
        case 'apply':
          ledger.set(key, { begun: { ...begun, applying: true }, ...heals })
          return { action: 'apply', variables: {} }
        case 'nothing':
          if (!isHeal) ledger.set(key, { ...deployedBy(begun), outputs: knownOutputs(plan.outputs, record) })
          return stop(key, { state: 'in_sync', why: '', lookAt: isHeal ? at + intervalMs : 0, ...heals }, 'unchanged')
        case 'leave': {
          const { state, why, again = at + intervalMs } = verdict
          const later = Math.min(again, at + intervalMs)
          const failed = { digest: begun.digest, times: 0, retryAt: later, lost: false }
          return stop(key, { state, why, lookAt: later, ...(!isHeal && { failed }) }, why)
        }
      }
    },
    applied({ runId, status, outputs }) {
      const found = lookFor(runId)
      if (found && found.begun.kind === 'deploy' && status === 'applied') ledger.set(found.key, { outputs })
      return {}
    },
    finish({ runId, status, error }) {
      const found = lookFor(runId)
      // A repeat, of a result that is known.
      if (!found) return {}
      const { key, record, begun } = found
      const why = error ? `${error.code}: ${error.why}` : status
      if (status === 'returned') end(key, {})
      else if (status === 'succeeded') succeeded(key, record, begun)
      else failed(key, record, begun, why)
      log?.info({ stack: key, kind: begun.kind, commit: begun.commit, status, ...(error && { why }) }, 'run ended')
      return {}
    },
    report: () => ({}),
    drifted({ stackId }) {
      poked.add(stackId)
      ledger.set(stackId, { lookAt: 0 })
      tell?.onEvent({ event: 'work' })
      return {}
    },
  }

  function begin(now: Desired, { kind, stack, digest, inputs }: Job): Grant {
    const { definition, built } = stack
    const { key, environment, name, path } = definition
    const runId = newId('run')
    poked.delete(key)
    ledger.set(key, { begun: { runId, kind, commit: now.commit, digest, applying: false } })
    const { driver, driverConfig, ignore, verify, timeoutMs, toolVersion, sops } = definition
    return {
      runId,
      fence: 1,
      leaseMs: LEASE_MS,
      kind,
      destroy: false,
      stack: { id: key, repository, environment, name, path },
      driver,
      driverConfig,
      commit: now.commit,
      desiredDigest: digest,
      paths: built.paths,
      inputs,
      variables: {},
      ignore,
      ...(toolVersion !== undefined && { toolVersion }),
      ...(sops && { sops }),
      checks: [],
      verify: kind === 'deploy' ? verify : [],
      timeoutMs,
      keys,
      codify: false,
    }
  }

  function lookFor(runId: string): { key: string; record: StackRecord; begun: Begun } | undefined {
    for (const [key, record] of ledger.stacks())
      if (record.begun?.runId === runId) return { key, record, begun: record.begun }
    return undefined
  }

  function running(runId: string) {
    const found = lookFor(runId)
    if (found) return found
    throw new TrueupError('LEASE_LOST', {
      doing: `taking the plan of run ${runId}`,
      why: 'nobody knows of it any more',
    })
  }

  /** The run is over; what happened meanwhile is looked at next. */
  function end(key: string, change: Partial<StackRecord>): void {
    const { begun: _, ...rest } = ledger.stack(key)
    ledger.set(key, { ...rest, ...change, begun: undefined, ...(poked.delete(key) && { lookAt: 0 }) })
    watch()
    tell?.onEvent({ event: 'work' })
  }

  function stop(key: string, change: Partial<StackRecord>, reason: string): Result<'plan'> {
    end(key, change)
    return { action: 'stop', reason }
  }

  function succeeded(key: string, { counts }: StackRecord, begun: Begun): void {
    const isHeal = begun.kind === 'heal'
    const next = isHeal ? { ...counts, healed: counts.healed + 1 } : { ...counts, deployed: counts.deployed + 1 }
    // At once: what is there now is to be seen, and the files of this commit become what is held.
    end(key, { ...(!isHeal && deployedBy(begun)), state: 'in_sync', why: '', lookAt: 0, counts: next })
  }

  function failed(key: string, { counts, failed: before }: StackRecord, begun: Begun, why: string): void {
    const now = Date.now()
    const change = { state: 'failed' as const, why, counts: { ...counts, failed: counts.failed + 1 } }
    if (begun.kind === 'heal') return end(key, { ...change, lookAt: now + AFTER_ERROR_MS })
    const times = before?.digest === begun.digest ? before.times + 1 : 1
    const retryAt = now + Math.min(LONGEST_RETRY_MS, RETRY_MS * 4 ** (times - 1))
    end(key, { ...change, failed: { digest: begun.digest, times, retryAt, lost: false } })
  }

  /** Runs that a killed agent had begun, and of which it left no result, are over. */
  function reconcile(holding: readonly { runId: string }[]): void {
    const left = new Set(holding.map(({ runId }) => runId))
    for (const [key, { begun }] of ledger.stacks()) {
      if (!begun || left.has(begun.runId)) continue
      if (!begun.applying) ledger.set(key, { begun: undefined })
      else {
        const { digest } = begun
        const lost = { digest, times: 0, retryAt: 0, lost: true }
        ledger.set(key, { begun: undefined, state: 'failed', why: 'its apply was cut off', failed: lost })
      }
    }
  }

  /** What stands as the newest commit says is watched, by that commit. */
  function watch(): void {
    const now = desired()
    const watches = now
      ? standings(now, facts())
          .filter(({ settled }) => settled)
          .map(({ stack, digest, inputs }): WatchOrder => {
            const { key: id, environment, name, path, driver, driverConfig, ignore } = stack.definition
            const { paths } = stack.built
            const about = { id, repository, environment, name, path }
            const { commit } = now
            return {
              stack: about,
              driver,
              driverConfig,
              commit,
              desiredDigest: digest!,
              paths,
              inputs,
              variables: {},
              ignore,
              keys,
            }
          })
      : []
    tell?.onEvent({ event: 'watches', watches })
  }

  return {
    changed() {
      watch()
      tell?.onEvent({ event: 'work' })
    },
    connect(ends) {
      log = ends.log
      tell = ends
      const over = new AbortController()
      const answer = async <M extends Method>(method: M, params: Params<M>): Promise<Result<M>> =>
        handlers[method](params)
      reconcile(ends.hello().holding)
      const timer = setInterval(() => isDue(ledger) && ends.onEvent({ event: 'work' }), TICK_MS)
      // Whoever connects is still at it.
      setImmediate(() => {
        ends.onWelcome(handlers.hello(ends.hello()))
        watch()
      })
      return {
        call: answer,
        deliver: answer,
        awayMs: () => 0,
        over: over.signal,
        async close() {
          tell = undefined
          clearInterval(timer)
          over.abort()
        },
      }
    },
  }
}

/** Whether it is worth it to read all stacks once more: an idle agent costs next to nothing. */
function isDue(ledger: Ledger): boolean {
  const now = Date.now()
  for (const { begun, state, failed, lookAt, deployed } of ledger.stacks().values()) {
    if (begun || state === 'left') continue
    if (state === 'waiting' || !deployed || (failed ? failed.retryAt : lookAt) <= now) return true
  }
  return false
}

const deployedBy = ({ commit, digest }: Begun): Pick<StackRecord, 'deployed' | 'failed'> => ({
  deployed: { commit, digest, at: Date.now() },
  failed: undefined,
})

/** Where nothing was to be done, the plan's outputs are what there is; a driver may not foretell them all. */
function knownOutputs(planned: StackRecord['outputs'], { outputs }: StackRecord): StackRecord['outputs'] {
  const known = Object.entries(planned).filter(([, { unknown }]) => !unknown)
  return known.length > 0 ? Object.fromEntries(known) : outputs
}
