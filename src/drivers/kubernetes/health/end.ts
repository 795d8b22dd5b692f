import { setTimeout as sleep } from 'node:timers/promises'
import { TrueupError } from '../../../lib/errors/error.ts'
import { pathOf, type Resource } from '../cluster/discovery.ts'
import { readOne, type Target } from '../cluster/live.ts'
import type { KubeObject } from '../objects/object.ts'
import type { Session } from '../session.ts'
import { healthOf, type HealthState } from './kinds.ts'

/** How long, in milliseconds, and under which signal an end is waited for. */
export interface Waiting {
  session: Session
  signal: AbortSignal
  patience: number
}

const LOOK = 250

/** Kinds that run once and are over then. */
export const hasEnd = ({ kind, apiVersion }: Pick<Resource, 'kind' | 'apiVersion'>): boolean =>
  (kind === 'Job' && apiVersion.startsWith('batch/')) || (kind === 'Pod' && apiVersion === 'v1')

/**
 * How a Job or Pod that was just applied has ended; `progressing` when its time was over first. It is watched and not only
 * looked at: one with `ttlSecondsAfterFinished: 0` is gone the moment that it has failed, and its deletion is told with its
 * last state. What disappears with no end to be seen has failed. CANCELED when the signal ends it.
 */
export async function endOf(waiting: Waiting, target: Target, applied: KubeObject): Promise<HealthState> {
  const { session, patience } = waiting
  const until = Date.now() + patience
  const over = AbortSignal.timeout(Math.min(patience, 2 ** 31 - 1))
  const signal = AbortSignal.any([waiting.signal, over])
  let last = verdict(applied)
  let mayWatch = true
  for (let version = applied.metadata.resourceVersion ?? ''; ; ) {
    if (last.isOver) return last.health
    if (waiting.signal.aborted)
      throw new TrueupError('CANCELED', { doing: `waiting for ${target.address}`, why: 'the run was stopped' })
    if (Date.now() >= until) return last.health
    if (mayWatch) {
      try {
        for await (const line of session.client.lines(watchCall(target, version, signal))) {
          const { type, object } = JSON.parse(line) as { type: string; object: KubeObject }
          if (type === 'ERROR') break
          version = object.metadata.resourceVersion ?? version
          if (type === 'BOOKMARK' || object.metadata.uid !== applied.metadata.uid) continue
          last = type === 'DELETED' ? lastWords(object) : verdict(object)
          if (last.isOver) return last.health
        }
      } catch (thrown) {
        // A watch that is not allowed, or that broke: looking goes on without it.
        if (thrown instanceof TrueupError && thrown.code === 'TARGET_DENIED') mayWatch = false
      }
    }
    if (signal.aborted) continue
    const live = await readOne(session.client, target, waiting.signal)
    const isOurs = live !== null && live.metadata.uid === applied.metadata.uid
    last = isOurs ? verdict(live) : { isOver: true, health: UNSEEN }
    version = live?.metadata.resourceVersion ?? version
    if (!last.isOver) await sleep(LOOK, undefined, { signal }).catch(() => {})
  }
}

interface Verdict {
  isOver: boolean
  health: HealthState
}

const UNSEEN: HealthState = {
  state: 'failed',
  why: 'it disappeared before its end was seen (ttlSecondsAfterFinished, or somebody deleted it); whether it succeeded is not known',
}

function verdict(object: KubeObject): Verdict {
  const health = healthOf(object)
  if (health.state === 'failed') return { isOver: true, health }
  // A Pod is healthy while it runs; as something that runs once it has to end. A suspended Job has not even begun.
  const status = (object.status ?? {}) as { phase?: string; conditions?: { type?: string; status?: string }[] }
  const isOver =
    object.kind === 'Pod'
      ? status.phase === 'Succeeded'
      : (status.conditions ?? []).some((one) => one.type === 'Complete' && one.status === 'True')
  if (isOver) return { isOver, health: { state: 'healthy', why: '' } }
  return { isOver, health: { state: 'progressing', why: health.why || 'it has not ended' } }
}

/** The last state of what is deleted. */
function lastWords(object: KubeObject): Verdict {
  const { deletionTimestamp: _deleted, ...metadata } = object.metadata
  const last = verdict({ ...object, metadata })
  return last.isOver ? last : { isOver: true, health: UNSEEN }
}

const watchCall = ({ resource, ref, address }: Target, version: string, signal: AbortSignal) => {
  const selector = encodeURIComponent(`metadata.name=${ref.name}`)
  const query = `watch=true&fieldSelector=${selector}&timeoutSeconds=60&resourceVersion=${version}`
  return { doing: `watching ${address}`, path: `${pathOf(resource, ref.namespace)}?${query}`, signal }
}
