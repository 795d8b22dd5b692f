import { setTimeout as sleep } from 'node:timers/promises'
import { asTrueupError, TrueupError } from '../../../lib/errors/error.ts'
import { pathOf } from '../cluster/discovery.ts'
import { conflictsIn, failureOf, type Status } from '../cluster/failures.ts'
import { FIELD_MANAGER } from '../compare/fields.ts'
import { applyCall } from '../plan/dry-run.ts'
import { endOf, hasEnd } from '../health/end.ts'
import type { HealthState } from '../health/kinds.ts'
import { isClearedAway } from '../objects/cleared-away.ts'
import { readOne, type Target } from '../cluster/live.ts'
import { OWNER } from '../objects/annotations.ts'
import { beingDeleted } from '../objects/being-deleted.ts'
import { addressOf, asJson, isObject, type KubeObject } from '../objects/object.ts'
import type { Session } from '../session.ts'
import type { Step } from '../plan/steps.ts'
import { adopt } from './adopt.ts'
import { removeForeign } from './remove-foreign.ts'

/** What the steps of one apply share. */
export interface Execution {
  session: Session
  signal: AbortSignal
  /** Milliseconds that a hook, or the end of a deleted object, may take. */
  patience: number
  /** Whether the end of what is deleted is waited for. */
  awaitsEnd: boolean
  /** How Jobs end that are cleared away then, by address: they are watched from the moment that they are made. */
  ends: Map<string, Promise<HealthState>>
}

/** Milliseconds between two looks. */
const LOOK = 250
const SERVED_ATTEMPTS = 40
const SCHEMA_ATTEMPTS = 12

/** Does one step; throws what the server says. A deletion is asked for here, and waited for by `gone`. */
export async function execute(execution: Execution, step: Step): Promise<void> {
  if (step.act === 'forget' && step.releases) return release(execution, targetOf(step))
  if (step.act === 'forget' || step.act === 'inventory') return
  const target = targetOf(step)
  if (step.act === 'delete') return remove(execution, target, propagation(execution, step))
  if (step.object === undefined) throw new Error(`the step of ${step.address} holds no object`)
  if (step.act === 'hook') return runHook(execution, target, step, step.object)
  if (step.act === 'replace') {
    await remove(execution, target)
    await untilGone(execution, target)
  }
  if (step.adopts) await adopt(execution, target, step.adopts)
  const applied = await applyObject(execution, target, step.object, {
    force: step.act === 'update',
    isNew: step.newKind ?? false,
  })
  if (execution.awaitsEnd && isClearedAway(step.object)) watchEnd(execution, target, applied)
  if (step.foreign.length > 0) await removeForeign({ ...execution, target, object: step.object, step }, applied)
}

function watchEnd(execution: Execution, target: Target, applied: KubeObject): void {
  const end = endOf(execution, target, applied).catch((thrown: unknown): HealthState => {
    const { text } = asTrueupError(thrown, `waiting for ${target.address}`)
    return { state: 'progressing', why: text.why }
  })
  execution.ends.set(target.address, end)
}

function targetOf({ key, address, ref, resource }: Step): Target {
  if (resource === null) throw new Error(`the step of ${address} has no resource`)
  return { key, address, ref, resource }
}

interface Applying {
  force: boolean
  /** The definition of its kind is new. */
  isNew?: boolean
}

/** A creation does not force: what somebody made meanwhile is not ours to overwrite unseen. */
async function applyObject(
  { session, signal }: Execution,
  target: Target,
  object: KubeObject,
  { force, isNew = false }: Applying,
): Promise<KubeObject> {
  const call = applyCall({ ...target, object }, { force, signal })
  let { status, body } = await session.client.ask<KubeObject>(call)
  // A definition is established a moment before its kind is served, and a changed one a moment before it is gone by.
  const isEarly = (attempt: number): boolean =>
    isNotServed(status, body) || (isNew && attempt < SCHEMA_ATTEMPTS && !isWhole(status, body, object))
  for (let attempt = 0; attempt < SERVED_ATTEMPTS && isEarly(attempt); attempt++) {
    await pause(signal, call.doing)
    ;({ status, body } = await session.client.ask<KubeObject>(call))
  }
  if (status < 300) return body as KubeObject
  const conflicts = conflictsIn(body as Status)
  if (conflicts.length === 0) throw failureOf(call.doing, status, body as Status)
  throw new TrueupError('CONFLICT', {
    doing: call.doing,
    why: `somebody else has made it meanwhile: ${conflicts.join('; ')}`,
    next: 'Plan again.',
  })
}

/** Whether an answer has everything that was sent; by an old definition fields are dropped, or unknown. */
function isWhole(status: number, body: KubeObject | Status, object: KubeObject): boolean {
  if (status >= 300) return !/not declared in schema|unknown field/.test((body as Status).message ?? '')
  const { metadata: _metadata, status: _status, ...rest } = asJson(object)
  return Object.entries(rest).every(([name, value]) => holds((body as KubeObject)[name], value))
}

function holds(there: unknown, sent: unknown): boolean {
  if (Array.isArray(sent)) return Array.isArray(there) && sent.every((item, at) => holds(there[at], item))
  if (!isObject(sent)) return there !== undefined
  return isObject(there) && Object.entries(sent).every(([name, value]) => value === null || holds(there[name], value))
}

/** The second is what the server says, without a Status, as long as it has no handler for the whole group. */
const isNotServed = (status: number, body: KubeObject | Status): boolean =>
  status === 404 && /could not find the requested resource|404 page not found/.test((body as Status).message ?? '')

/** Kinds that are their pods: they are gone when these are. */
const RUNS_PODS = /^(apps|batch)\//

type Propagation = 'Foreground' | 'Background'

/** The pods of a workload go before it where a wave that they use is deleted next. */
const propagation = ({ awaitsEnd }: Execution, { dependantsFirst = false, resource }: Step): Propagation =>
  awaitsEnd && dependantsFirst && RUNS_PODS.test(resource?.apiVersion ?? '') ? 'Foreground' : 'Background'

/** Dependants go with their owner. Gone already is as good. */
async function remove(
  { session, signal }: Execution,
  { ref, resource, address }: Target,
  propagationPolicy: Propagation = 'Background',
): Promise<void> {
  await session.client.find({
    doing: `deleting ${address}`,
    method: 'DELETE',
    path: pathOf(resource, ref.namespace, ref.name),
    body: JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy }),
    signal,
  })
}

/** Takes our mark off an object that stays. Gone already is as good. */
async function release({ session, signal }: Execution, { ref, resource, address }: Target): Promise<void> {
  await session.client.find({
    doing: `letting go of ${address}`,
    method: 'PATCH',
    path: `${pathOf(resource, ref.namespace, ref.name)}?fieldManager=${FIELD_MANAGER}`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify({ metadata: { annotations: { [OWNER]: null } } }),
    signal,
  })
}

/**
 * Waits until an object is gone; one of the same name that somebody has made meanwhile is another. TIMED_OUT with the
 * finalizers that hold it.
 */
async function untilGone(execution: Execution, target: Target): Promise<void> {
  const { session, signal, patience } = execution
  for (const end = Date.now() + patience; ; ) {
    const live = await readOne(session.client, target, signal)
    if (live === null || live.metadata.deletionTimestamp === undefined) return
    if (Date.now() > end) throw tooSlow(target, patience, beingDeleted(live))
    await pause(signal, `deleting ${target.address}`)
  }
}

/**
 * Whether what a step has deleted is gone. Where that is not waited for: as it is now. Where it is: true, or TIMED_OUT with
 * what holds it.
 */
export async function gone(execution: Execution, step: Step): Promise<boolean> {
  const target = targetOf(step)
  if (execution.awaitsEnd) {
    await untilGone(execution, target)
    return true
  }
  const live = await readOne(execution.session.client, target, execution.signal)
  return live === null || live.metadata.deletionTimestamp === undefined
}

/** Creates the object of a hook and waits for its end; `clearHooks` clears it away when its side of the change is over. */
async function runHook(execution: Execution, target: Target, { hook }: Step, object: KubeObject): Promise<void> {
  const policies = hook?.deleteOn ?? []
  if (policies.includes('before')) {
    await remove(execution, target)
    await untilGone(execution, target)
  }
  const applied = await applyObject(execution, target, object, { force: true })
  // Only Jobs and Pods have an end; everything else is done when it is there (https://helm.sh/docs/topics/charts_hooks/).
  if (!hasEnd(target.resource)) return
  try {
    const { state, why } = await endOf(execution, target, applied)
    const doing = `running the hook ${addressOf(target.ref)}`
    if (state === 'failed') throw new TrueupError('TOOL_FAILED', { doing, why })
    if (state === 'progressing') throw tooSlow(target, execution.patience, why)
  } catch (error) {
    if (policies.includes('failed')) await remove(execution, target).catch(() => {})
    throw error
  }
}

/**
 * Deletes the hooks of one side of a change that are not to stay after success: when all have succeeded, the last ones
 * first, since later ones use what earlier ones made (an account, a configuration).
 */
export async function clearHooks(execution: Execution, steps: readonly Step[]): Promise<void> {
  for (const step of steps.toReversed())
    if (step.hook?.deleteOn.includes('succeeded')) await remove(execution, targetOf(step))
}

async function pause(signal: AbortSignal, doing: string): Promise<void> {
  await sleep(LOOK, undefined, { signal }).catch(() => {})
  if (signal.aborted) throw new TrueupError('CANCELED', { doing, why: 'the run was stopped' })
}

const tooSlow = ({ address }: Target, patience: number, why: string): TrueupError =>
  new TrueupError('TIMED_OUT', {
    doing: `waiting for ${address}`,
    why: `after ${Math.round(patience / 1000)} s ${why}`,
    next: 'Look at the object; raise waitTimeout when it really takes longer.',
  })
