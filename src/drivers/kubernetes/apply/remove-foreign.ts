import { TrueupError } from '../../../lib/errors/error.ts'
import { pause } from '../../../lib/retry.ts'
import { pathOf } from '../cluster/discovery.ts'
import { failureOf, type Status } from '../cluster/failures.ts'
import { readOne, type Target } from '../cluster/live.ts'
import { ourFields } from '../compare/fields.ts'
import { foreignFields } from '../compare/foreign.ts'
import { pathText, pointerOf, type Step as PathStep } from '../objects/paths.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Step } from '../plan/steps.ts'
import type { Session } from '../session.ts'

/** One object out of which something of others is taken. */
export interface Removal {
  session: Session
  signal: AbortSignal
  target: Target
  /** As it was applied. */
  object: KubeObject
  step: Step
}

/** A controller writes an object several times in the second after it was applied. */
const ATTEMPTS = 12
const PAUSES = { first: 40, longest: 400 }

/**
 * Takes out what the plan showed as foreign. Each removal first tests that this very value stands there, so that nothing
 * else is hit, whatever others write elsewhere in the object meanwhile; where it is another, the object is read again.
 * CONFLICT when somebody is always faster.
 */
export async function removeForeign(removal: Removal, applied: KubeObject): Promise<void> {
  const { session, signal, target, object, step } = removal
  const { ref, resource, address } = target
  const planned = new Set(step.foreign.map(pathText))
  const doing = `removing what others have added to ${address}`
  let live: KubeObject | null = applied
  for (let attempt = 1; live !== null; attempt++) {
    const found = foreignFields(object, live, ourFields(live) ?? {}).filter(({ steps }) => planned.has(pathText(steps)))
    if (found.length === 0) return
    const patch = found
      .toSorted((a, b) => laterFirst(a.steps, b.steps))
      .flatMap(({ steps, value }) => [
        { op: 'test', path: pointerOf(steps), value },
        { op: 'remove', path: pointerOf(steps) },
      ])
    const { status, body } = await session.client.ask<KubeObject>({
      doing,
      method: 'PATCH',
      path: `${pathOf(resource, ref.namespace, ref.name)}?fieldManager=trueup`,
      contentType: 'application/json-patch+json',
      body: JSON.stringify(patch),
      signal,
    })
    if (status < 300) return
    if (!wasOvertaken(status, body as Status)) throw failureOf(doing, status, body as Status)
    if (attempt >= ATTEMPTS) {
      const why = `somebody has changed it ${ATTEMPTS} times meanwhile; the rest of it is applied`
      throw new TrueupError('CONFLICT', { doing, why, next: 'Look who writes it all the time.' })
    }
    await pause(attempt, PAUSES, signal)
    live = await readOne(session.client, target, signal)
  }
}

/**
 * Something else stands there by now, or nothing: 409, or what the server says of a JSON patch whose test or removal does
 * not fit the object (422; 500 on old ones).
 */
const wasOvertaken = (status: number, { message = '' }: Status): boolean =>
  status === 409 || /test(ing)? .*failed|remove operation does not apply|nonexistent key|invalid index/i.test(message)

/** A removal moves what follows in its list: the last elements go first, and what is inside of others before these. */
function laterFirst(a: readonly PathStep[], b: readonly PathStep[]): number {
  for (const [at, step] of a.entries()) {
    const other = b[at]
    if (other === undefined) return -1
    if (step === other) continue
    if (typeof step === 'number' && typeof other === 'number') return other - step
    return String(step) < String(other) ? -1 : 1
  }
  return a.length === b.length ? 0 : 1
}
