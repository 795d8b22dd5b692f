import { setTimeout as sleep } from 'node:timers/promises'
import { parseDuration } from '../../../domain/duration.ts'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { readLive, type Target } from '../cluster/live.ts'
import { type KubeObject, typeOf } from '../objects/object.ts'
import type { Session } from '../session.ts'
import { compileExpression } from '../objects/expressions.ts'
import { healthOf, type HealthState } from './kinds.ts'

export interface Verdict extends HealthState {
  address: string
}

/** Milliseconds between two looks: first, and at most. */
const FIRST_LOOK = 100
const LAST_LOOK = 2000

export const patienceOf = ({ config }: DriverContext<KubernetesConfig>): number => parseDuration(config.waitTimeout)

/** The health of one object: by the stack's own rules first, then by its kind. */
export function judgeFor(config: KubernetesConfig): (object: KubeObject, type: string) => HealthState {
  const rules = new Map(
    config.health.map(({ kind, ready, failed }) => [
      kind,
      { ready: compileExpression(ready), failed: failed === undefined ? null : compileExpression(failed), text: ready },
    ]),
  )
  return (object, type) => {
    const rule = rules.get(type)
    if (!rule) return healthOf(object)
    if (rule.failed?.(object)) return { state: 'failed', why: 'its `failed` expression is true' }
    return rule.ready(object)
      ? { state: 'healthy', why: '' }
      : { state: 'progressing', why: `not yet true: ${rule.text}` }
  }
}

/** Waits until all are healthy, one has failed, or the time is over; the last verdict on each. */
export async function awaitHealth(
  context: DriverContext<KubernetesConfig>,
  session: Session,
  targets: readonly Target[],
): Promise<Verdict[]> {
  const judge = judgeFor(context.config)
  const { signal } = context
  const end = Date.now() + patienceOf(context)
  const verdicts = new Map<string, Verdict>()
  let left = targets
  for (let look = FIRST_LOOK; ; look = Math.min(look * 1.5, LAST_LOOK)) {
    const live = await readLive(session.client, left, { concurrency: context.config.concurrency, signal })
    for (const { key, address, ref } of left) {
      const object = live.get(key)
      const state = object ? judge(object, typeOf(ref)) : { state: 'progressing' as const, why: 'it is not there' }
      verdicts.set(key, { address, ...state })
    }
    left = left.filter(({ key }) => verdicts.get(key)?.state !== 'healthy')
    const isHopeless = [...verdicts.values()].some(({ state }) => state === 'failed')
    if (left.length === 0 || isHopeless || Date.now() > end || signal.aborted) return [...verdicts.values()]
    await sleep(look, undefined, { signal }).catch(() => {})
  }
}
