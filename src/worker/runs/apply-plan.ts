import type { ApplyResult, DriverPlan } from '../../domain/plans/plan.ts'
import type { Driver, DriverContext } from '../../drivers/driver.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { CommandResult } from '../../domain/wire/plan-parts.ts'
import type { Params } from '../protocol.ts'
import { runCommands } from './commands.ts'
import { stopError, type RunEnd } from './end.ts'
import { enter, type Execution } from './execution.ts'
import { checkHealth } from './health.ts'
import { maskResult } from './mask-results.ts'
import { withSurprises } from './surprises.ts'

/**
 * From the server's yes to the end: apply, report what was done (safe against the death of this runner), verify.
 * A stop from outside ends as `canceled` only when the tool did not get to its end before it.
 */
export async function applyPlan(
  execution: Execution,
  driver: Driver,
  context: DriverContext<unknown>,
  plan: DriverPlan,
): Promise<RunEnd> {
  const { run, grant } = execution
  run.applying = true
  execution.parts.source.applying(grant)
  const applied = await apply(execution, driver, context, plan)
  execution.parts.source.applied(grant, {
    untouched: applied.untouched,
    broken: applied.result.status !== 'applied',
  })
  run.applying = false

  const end = endOfApply(execution, applied)
  await reportApplied(execution, applied, end, isVerified(grant, driver))
  if (end.status !== 'succeeded' || !isVerified(grant, driver)) return end

  try {
    await enter(execution, 'verifying')
    const ask = driver.health && (() => driver.health!(context))
    const health = ask && (await checkHealth(ask, context, execution.masker.text))
    if (health?.cutShort) return { kind: 'finished', status: 'canceled', verify: [health.result] }
    const commands = await runCommands(grant.verify, context, execution.masker.text)
    return endOfVerify(execution, [...(health ? [health.result] : []), ...commands])
  } catch (thrown) {
    // From here on the run cannot be given back as if nothing had happened.
    if (run.stopped?.kind === 'shutdown') return { ...end, status: 'failed', error: unverified() }
    throw thrown
  }
}

const isVerified = (grant: Execution['grant'], driver: Driver): boolean =>
  grant.verify.length > 0 || driver.health !== undefined

interface Applied {
  result: ApplyResult
  thrown?: unknown
  /** What a driver throws, it throws before its first write; only a fault of Trueup's own may come at any time. */
  untouched: boolean
}

async function apply(
  { run, masker }: Execution,
  driver: Driver,
  context: DriverContext<unknown>,
  plan: DriverPlan,
): Promise<Applied> {
  const nothing = { resources: [], outputs: {}, findings: [] }
  if (run.stopped) return { result: { status: 'canceled', ...nothing }, untouched: true }
  try {
    // Before anything is cut to length: half a secret is not found any more.
    const result = maskResult(withSurprises(await driver.apply(context, plan), plan), masker)
    const stopped = run.stopped && result.status === 'failed'
    return { result: stopped ? { ...result, status: 'canceled' } : result, untouched: false }
  } catch (thrown) {
    const untouched = thrown instanceof TrueupError && thrown.code !== 'INTERNAL'
    return { result: { status: run.stopped ? 'canceled' : 'failed', ...nothing }, thrown, untouched }
  }
}

type Finished = Extract<RunEnd, { kind: 'finished' }>

function endOfApply({ run, grant }: Execution, { result, thrown }: Applied): Finished {
  const end = (status: Finished['status'], error?: TrueupError): Finished => ({
    kind: 'finished',
    status,
    ...(error && { error }),
    verify: [],
  })
  switch (result.status) {
    case 'applied':
      return end('succeeded')
    case 'canceled':
      return run.stopped?.kind === 'timed_out' ? end('failed', stopError(run)) : end('canceled')
    case 'failed':
      return end(
        'failed',
        thrown === undefined ? partial(result, grant.runId) : asTrueupError(thrown, 'applying the plan'),
      )
  }
}

/** Characters of each of the tool's last words that go into the error. */
const SAID_LENGTH = 300

function partial({ resources, findings }: ApplyResult, runId: string): TrueupError {
  const failed = resources.filter(({ status }) => status === 'failed')
  const done = resources.filter(({ status }) => status === 'done').length
  const messages = failed.slice(0, 5).map(({ address, message }) => (message ? `${address}: ${message}` : address))
  // What the tool said last is often the only place where the reason stands.
  const said = findings
    .filter(({ severity }) => severity === 'error')
    .slice(0, 3)
    .map(({ message }) => message.replaceAll(/\s+/g, ' ').trim().slice(-SAID_LENGTH))
    .filter((message) => !messages.some((known) => known.includes(message)))
  const why = [...messages, ...said].join('; ') || 'the tool stopped half-way'
  return new TrueupError(done > 0 ? 'APPLY_PARTIAL' : 'TOOL_FAILED', {
    doing: 'applying the plan',
    why: `${why} (${done} done, ${failed.length} not)`,
    next: `Read its log (trueup run logs ${runId}), then merge a fix or roll back.`,
  })
}

async function reportApplied(
  { grant, parts, masker }: Execution,
  { result, untouched }: Applied,
  end: Finished,
  verified: boolean,
): Promise<void> {
  const { runId, fence } = grant
  const { status, resources, findings, outputs } = result
  const applied: Params<'applied'> = {
    runId,
    fence,
    status,
    resources,
    findings,
    outputs,
    ...(untouched && { untouched }),
  }
  const toVerify = end.status === 'succeeded' && verified
  const error = toVerify ? unverified() : end.error
  await parts.outbox.applied(applied, {
    runId,
    fence,
    status: toVerify ? 'failed' : end.status,
    verify: [],
    ...(error && { error: { ...masker.fields(error.toJSON()), code: error.code } }),
  })
}

const unverified = (): TrueupError =>
  new TrueupError('VERIFY_FAILED', {
    doing: 'verifying the change',
    why: 'the runner was ended after the apply and before its checks were over',
    next: 'Look at the target; deploy again or roll back.',
  })

function endOfVerify({ run }: Execution, verify: CommandResult[]): Finished {
  if (run.stopped?.kind === 'canceled') return { kind: 'finished', status: 'canceled', verify }
  if (run.stopped?.kind === 'shutdown') return { kind: 'finished', status: 'failed', error: unverified(), verify }
  if (run.stopped) return { kind: 'finished', status: 'failed', error: stopError(run), verify }
  const failed = verify.filter(({ ok }) => !ok).map(({ name }) => `"${name}"`)
  if (failed.length === 0) return { kind: 'finished', status: 'succeeded', verify }
  const error = new TrueupError('VERIFY_FAILED', {
    doing: 'verifying the change',
    why: `${failed.join(', ')} did not succeed`,
  })
  return { kind: 'finished', status: 'failed', error, verify }
}
