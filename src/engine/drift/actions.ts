import { TrueupError } from '../../lib/errors/error.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { type DriftRecord, getDriftRecord, patchDriftRecord, standingDrift } from '../../store/stacks/drift.ts'
import { nowOf } from '../../store/open.ts'
import { getRun, type Run } from '../../store/runs/runs.ts'
import { requireStack } from '../../store/stacks/stacks.ts'
import { stackCapabilities } from '../driver-capabilities.ts'
import { type EngineParts, userActor } from '../parts.ts'
import type { RunSpec } from '../run-spec.ts'
import { refreshStack } from '../stacks/status.ts'
import { orderHeal } from './heal.ts'
import { withdrawHeals } from './overtaken.ts'
import { closeCodify } from './propose.ts'
import { checkDrift, checkSoon } from './schedule.ts'

export interface AcceptWish {
  recordId: string
  reason: string
  /** Milliseconds; null = without end. Another actual value ends the acceptance at once. */
  until: number | null
  actorId: string
}

/**
 * One attribute may be as it is, for a reason and a time: it is neither shown as drift nor healed meanwhile.
 * Errors: NOT_FOUND, CONFLICT (the drift is over), INVALID_REQUEST.
 */
export async function acceptDrift(parts: EngineParts, wish: AcceptWish): Promise<DriftRecord> {
  const doing = `accepting drift ${wish.recordId}`
  const reason = wish.reason.trim()
  if (reason === '') throw new TrueupError('INVALID_REQUEST', { doing, why: 'the reason is empty' })
  const accepted = await parts.store.transaction(async (tx) => {
    if (wish.until !== null && wish.until <= nowOf(tx))
      throw new TrueupError('INVALID_REQUEST', { doing, why: 'its end is in the past', next: 'Name a later time.' })
    const record = await getDriftRecord(tx, wish.recordId)
    if (!record) throw new TrueupError('NOT_FOUND', { doing, why: 'there is no such record' })
    if (record.state !== 'open' && record.state !== 'accepted')
      throw new TrueupError('CONFLICT', { doing, why: `the drift is over (${record.state})` })
    const patched = await patchDriftRecord(tx, record.id, {
      state: 'accepted',
      acceptedById: wish.actorId,
      acceptedReason: reason,
      acceptedUntil: wish.until,
    })
    const { repositoryId } = await requireStack(tx, record.stackId)
    const { address, attribute } = record
    await appendAudit(tx, {
      actor: userActor(wish.actorId),
      action: 'drift.accept',
      subject: record.stackId,
      repositoryId,
      data: { recordId: record.id, address, attribute, reason, until: wish.until },
    })
    // A heal that waits would overwrite what was just accepted; the next check orders one of what is left.
    if (await withdrawHeals(tx, record.stackId, 'drift_accepted')) await checkSoon(tx, record.stackId, nowOf(tx))
    await refreshStack(tx, record.stackId)
    return patched
  })
  const left = await standingDrift(parts.store.db, accepted.stackId)
  if (left.every((record) => record.state !== 'open'))
    await closeCodify(parts, await requireStack(parts.store.db, accepted.stackId))
  return accepted
}

export interface StackWish {
  stackId: string
  actorId: string
}

/** Overwrites drift now: without backoff, and also where healing has been stopped. CONFLICT says why it cannot be. */
export async function healNow(parts: EngineParts, wish: StackWish): Promise<Run> {
  const order = await parts.store.transaction((tx) =>
    orderHeal(tx, wish.stackId, { actor: userActor(wish.actorId), asked: true }),
  )
  if (order.ordered) return order.run
  throw new TrueupError('CONFLICT', { doing: 'healing the stack', why: order.why })
}

/**
 * Looks for drift now: a check that is under way (a live event may have asked for it a moment before) is the answer, and
 * one more follows it. CONFLICT says why it cannot be.
 */
export const checkNow = (parts: EngineParts, wish: StackWish): Promise<Run> =>
  check(parts, wish, 'checking the stack for drift')

/** Looks for drift now and opens a merge request that writes it into Git. CONFLICT where the driver cannot. */
export async function codifyNow(parts: EngineParts, wish: StackWish): Promise<Run> {
  const doing = 'codifying the drift of the stack'
  const { deployedConfig } = await requireStack(parts.store.db, wish.stackId)
  const deployed = deployedConfig as unknown as RunSpec | null
  if (deployed && !stackCapabilities(deployed.definition).codify) {
    const why = `driver "${deployed.definition.driver}" cannot turn live values into files`
    throw new TrueupError('CONFLICT', { doing, why, next: 'Change the files by hand, or heal.' })
  }
  return await check(parts, wish, doing, wish.actorId)
}

async function check(parts: EngineParts, wish: StackWish, doing: string, codifyFor?: string): Promise<Run> {
  const by = { actor: userActor(wish.actorId), ...(codifyFor !== undefined && { codifyFor }) }
  const order = await parts.store.transaction((tx) => checkDrift(tx, wish.stackId, by))
  if (order.ordered) return order.run
  const underWay = codifyFor === undefined && order.underWay ? await getRun(parts.store.db, order.underWay) : undefined
  if (underWay) return underWay
  throw new TrueupError('CONFLICT', { doing, why: order.why })
}
