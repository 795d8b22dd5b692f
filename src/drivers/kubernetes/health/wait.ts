import { setTimeout as sleep } from 'node:timers/promises'
import { parseDuration } from '../../../domain/duration.ts'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { readLive, type Target } from '../cluster/live.ts'
import { type KubeObject, typeOf } from '../objects/object.ts'
import type { Session } from '../session.ts'
import { compileExpression } from '../objects/expressions.ts'
import { isClearedAway } from '../objects/cleared-away.ts'
import { claimsWithoutConsumer } from './consumers.ts'
import { lastComplaint } from './events.ts'
import { complained, healthOf, type HealthState } from './kinds.ts'

export interface Verdict extends HealthState {
  address: string
}

/** What is waited for, and where it is known the object that was wanted. */
type Watched = Target & { object?: KubeObject }

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

const HEALTHY: HealthState = { state: 'healthy', why: '' }

/** A Job that is cleared away after its end is not missed; how it ended, the apply that made it has seen. */
const missing = (wanted: KubeObject | undefined): HealthState =>
  wanted && isClearedAway(wanted) ? HEALTHY : { state: 'progressing', why: 'it is not there' }

/** These say in events alone why they make no pods. */
const SILENT = new Set(['StatefulSet', 'DaemonSet', 'Job', 'ReplicaSet'])
const ASKED = 20

interface Asking {
  session: Session
  signal: AbortSignal
  /** Complaints that were there at the first look, by key: of another time. */
  heard: Map<string, string>
}

/** Why those that get on make no progress; a quota that leaves no place for a single pod will not do so by itself. */
async function askControllers(
  { session, signal, heard }: Asking,
  left: readonly Target[],
  verdicts: Map<string, Verdict>,
): Promise<void> {
  const stuck = left.filter(({ key, ref }) => SILENT.has(ref.kind) && verdicts.get(key)?.state === 'progressing')
  for (const { key, ref } of stuck.slice(0, ASKED)) {
    const verdict = verdicts.get(key)
    const said = await lastComplaint(session, ref, signal)
    if (!heard.has(key)) heard.set(key, said?.mark ?? '')
    if (!verdict || !said) continue
    const isNew = heard.get(key) !== said.mark
    const why = `${verdict.why}; ${said.text}`
    verdicts.set(key, { ...verdict, ...(isNew ? complained(verdict, said.text) : { why }) })
  }
}

/** What becomes of those that are not healthy yet when a newer change ends the wait. */
export const CUT_SHORT = 'not waited for any longer, since a newer change of the stack follows'

/** Whether a newer change ended the wait that gave these verdicts: nothing of them has failed. */
export const isCutShort = ({ replaced }: DriverContext<KubernetesConfig>, verdicts: readonly Verdict[]): boolean =>
  replaced?.aborted === true &&
  verdicts.some(({ state }) => state !== 'healthy') &&
  verdicts.every(({ state }) => state !== 'failed')

/** Waits until all are healthy, one has failed, the time is over, or a newer change waits; the last verdict on each. */
export async function awaitHealth(
  context: DriverContext<KubernetesConfig>,
  session: Session,
  targets: readonly Watched[],
): Promise<Verdict[]> {
  const judge = judgeFor(context.config)
  const { signal, replaced } = context
  const over = replaced ? AbortSignal.any([signal, replaced]) : signal
  const end = Date.now() + patienceOf(context)
  const verdicts = new Map<string, Verdict>()
  const heard = new Map<string, string>()
  const hasNoConsumer = claimsWithoutConsumer(session, signal)
  let left = targets
  for (let look = FIRST_LOOK; ; look = Math.min(look * 1.5, LAST_LOOK)) {
    const live = await readLive(session.client, left, { concurrency: context.config.concurrency, signal })
    for (const { key, address, ref, object: wanted } of left) {
      const object = live.get(key)
      const state = object ? judge(object, typeOf(ref)) : missing(wanted)
      const isBound = state.state !== 'progressing' || !object || !(await hasNoConsumer(object))
      verdicts.set(key, { address, ...(isBound ? state : HEALTHY) })
    }
    await askControllers({ session, signal, heard }, left, verdicts)
    left = left.filter(({ key }) => verdicts.get(key)?.state !== 'healthy')
    const isHopeless = [...verdicts.values()].some(({ state }) => state === 'failed')
    if (left.length === 0 || isHopeless || Date.now() > end || over.aborted) return [...verdicts.values()]
    await sleep(look, undefined, { signal: over }).catch(() => {})
  }
}
