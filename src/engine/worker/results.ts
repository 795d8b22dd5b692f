import type { RunState } from '../../domain/runs/run.ts'
import { type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import { ERRORS } from '../../lib/errors/table.ts'
import type { Json } from '../../lib/json.ts'
import type { Params } from '../../domain/wire/worker-protocol.ts'
import { patchRun, type Run, transitionRun } from '../../store/runs/runs.ts'
import { nowOf, type Tx } from '../../store/database/context.ts'
import { beginAgain } from '../deploy/begin-again.ts'
import { recordApplied, recordBroken, recordDeployment, recordFailedHeal } from '../deploy/record.ts'
import { type EngineParts, workerActor } from '../parts.ts'
import { followUpIfEnded, followUpRun } from '../run-tasks.ts'
import { makeWayForNewer, NEWER_MERGE } from '../runs/replaced.ts'
import { refreshStack } from '../stacks/status.ts'
import { appliedOf, withApplied } from '../applied.ts'
import { boundedApplied, boundedResults } from './bounds.ts'

/** The world no longer changes: what was done is recorded before anything else can go wrong. */
export async function appliedReceived(parts: EngineParts, run: Run, params: Params<'applied'>): Promise<void> {
  if (!HAS_APPLIED.includes(run.state)) {
    const why = `the run is "${run.state}", and nothing was to be applied`
    throw new TrueupError('CONFLICT', { doing: `recording the apply of run ${run.id}`, why })
  }
  const { runId: _run, fence: _fence, ...whole } = params
  const applied = boundedApplied(whole)
  await parts.store.transaction(async (tx) => {
    // Outputs are kept with the stack, sealed; a run is stored in clear.
    await patchRun(tx, run.id, { result: withApplied(run, { ...applied, outputs: {} }) }, params.fence)
    await recordApplied(tx, parts.keys, run, applied)
  })
}

const HAS_APPLIED: readonly RunState[] = ['applying', 'verifying']

/** The worker is done with the run. `returned` gives an unchanged run back to the queue. */
export async function finishReceived(parts: EngineParts, run: Run, params: Params<'finish'>): Promise<void> {
  await parts.store.transaction(async (tx) => {
    if (params.status === 'returned') {
      const back = await transitionRun(tx, {
        runId: run.id,
        fence: params.fence,
        to: 'queued',
        reason: 'returned',
        actor: actorOf(run),
      })
      await followUpIfEnded(tx, back)
    } else if (waitsForRoom(run, params)) {
      await followUpIfEnded(tx, await backForRoom(tx, run, params))
    } else {
      await end(tx, run, params)
      await followUpRun(tx, run)
    }
    await refreshStack(tx, run.stackId)
  })
}

/** Room comes back within minutes, or somebody has to see to it: about a quarter of an hour, in five attempts. */
const ROOM_PAUSES_MS = [5_000, 30_000, 150_000, 750_000]

/** A full disk says nothing about the run, and nothing was changed yet. */
const waitsForRoom = (run: Run, { status, error }: Params<'finish'>): boolean =>
  status === 'failed' &&
  error?.code === 'NO_ROOM' &&
  !HAS_APPLIED.includes(run.state) &&
  pauseForRoom(run) !== undefined

const pauseForRoom = (run: Run): number | undefined => ROOM_PAUSES_MS[run.attempt - 1]

async function backForRoom(tx: Tx, run: Run, { fence, error }: Params<'finish'>): Promise<Run> {
  return await transitionRun(tx, {
    runId: run.id,
    fence,
    to: 'queued',
    reason: 'no_room',
    ...(error && { message: `${error.doing}: ${error.why}` }),
    patch: { attempt: run.attempt + 1, notBefore: nowOf(tx) + (pauseForRoom(run) ?? 0) },
    actor: actorOf(run),
  })
}

async function end(tx: Tx, run: Run, params: Params<'finish'>): Promise<void> {
  const applied = appliedOf(run)
  if (params.status === 'succeeded' && applied?.status !== 'applied') {
    const why = `the run is "${run.state}" and no apply of it was reported`
    throw new TrueupError('CONFLICT', { doing: `ending run ${run.id}`, why })
  }
  const failed = params.status !== 'succeeded'
  const error = params.error && knownError(params.error)
  const newer = params.status === 'canceled' ? await makeWayForNewer(tx, run, nowOf(tx)) : null
  const ended = await transitionRun(tx, {
    runId: run.id,
    fence: params.fence,
    to: params.status as 'succeeded' | 'failed' | 'canceled',
    reason: newer ? NEWER_MERGE : reasonOf(params, run, error),
    ...(newer && { message: `it was not right yet when run ${newer.byRunId} followed, and made way for it` }),
    ...(error && { error, message: `${error.doing}: ${error.why}` }),
    patch: { verify: boundedResults(params.verify) as unknown as Json },
    actor: actorOf(run),
  })
  if (!failed) await recordDeployment(tx, ended)
  else if (HAS_APPLIED.includes(run.state)) await recordBadEnd(tx, { before: run, ended, error, applied })
}

/** What an apply that did not get to its good end leaves behind. */
async function recordBadEnd(
  tx: Tx,
  {
    before,
    ended,
    error,
    applied,
  }: { before: Run; ended: Run; error: ErrorBody | undefined; applied: ReturnType<typeof appliedOf> },
): Promise<void> {
  const untouched = applied?.untouched === true
  if (untouched && error?.code === 'PLAN_STALE') return await beginAgain(tx, ended, 'plan_stale')
  const failedHeal = ended.kind === 'heal' && ended.state === 'failed' && before.state === 'applying'
  if (failedHeal) await recordFailedHeal(tx, ended, applied)
  else if (!untouched) await recordBroken(tx, ended, applied)
}

function reasonOf(params: Params<'finish'>, run: Run, error: ErrorBody | undefined): string {
  if (params.status === 'canceled') return run.cancelReason ?? 'canceled'
  if (params.status === 'succeeded') return run.reason ?? 'applied'
  return error ? error.code.toLowerCase() : 'failed'
}

/** A code that this server does not know (a newer worker's) must not break its tables. */
const knownError = (error: NonNullable<Params<'finish'>['error']>): ErrorBody =>
  ({ ...error, code: error.code in ERRORS ? error.code : 'TOOL_FAILED' }) as ErrorBody

const actorOf = (run: Run): string => workerActor(run.workerId ?? '')
