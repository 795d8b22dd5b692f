import type { RunKind, RunState } from '../../domain/runs/run.ts'
import { placeOfMergeRequest, placeOfRun } from '../../domain/traces.ts'
import { spanIdOf } from '../../lib/tracing/ids.ts'
import type { EndedSpan } from '../../lib/tracing/span.ts'

/** What is told of a run that has ended. */
export interface RunFacts {
  id: string
  kind: RunKind
  state: RunState
  reason: string | null
  mrId: string | null
  repository: string
  /** Environment and name of the stack, `production/shop`. */
  stack: string
  driver: string
  commitOid: string
  workerId: string | null
  attempt: number
  /** Code and reason of its error. */
  error: string | null
  createdAt: number
  finishedAt: number
  /** The states that it came through, oldest first; none of checks that the clock ordered. */
  states: readonly { state: string; at: number }[]
}

/** One span for the run, below its merge request where it has one, and one for each state that it was in. */
export function runSpans(run: RunFacts): EndedSpan[] {
  const place = placeOfRun(run)
  const whole: EndedSpan = {
    ...place,
    ...(run.mrId !== null && { parentId: placeOfMergeRequest(run.mrId).spanId }),
    name: `${run.kind} ${run.stack}`,
    startedAt: run.createdAt,
    endedAt: run.finishedAt,
    attributes: {
      'trueup.run': run.id,
      'trueup.run.kind': run.kind,
      'trueup.run.state': run.state,
      'trueup.run.attempt': run.attempt,
      'trueup.repository': run.repository,
      'trueup.stack': run.stack,
      'trueup.driver': run.driver,
      'vcs.ref.head.revision': run.commitOid,
      ...(run.reason !== null && { 'trueup.run.reason': run.reason }),
      ...(run.workerId !== null && { 'trueup.worker': run.workerId }),
    },
    ...(run.state === 'failed' && { error: run.error ?? run.reason ?? 'failed' }),
  }
  return [whole, ...run.states.slice(0, -1).map(inState)]

  function inState({ state, at }: RunFacts['states'][number], index: number): EndedSpan {
    return {
      traceId: place.traceId,
      spanId: spanIdOf(`run ${run.id} state ${index}`),
      parentId: place.spanId,
      name: state,
      startedAt: at,
      // The last state is the end itself and lasts no time.
      endedAt: run.states[index + 1]?.at ?? run.finishedAt,
      attributes: { 'trueup.run': run.id, 'trueup.run.state': state },
    }
  }
}
