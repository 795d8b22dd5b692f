import type { ProcessResult, ProcessSpec } from '../../lib/process/supervise.ts'
import { newSpanId, placeOf, traceparentOf } from '../../lib/tracing/ids.ts'
import type { Tracing } from '../../lib/tracing/span.ts'
import type { Grant } from '../protocol.ts'

type RunProcess = (spec: ProcessSpec) => Promise<ProcessResult>

/** What a run does on this worker, as spans below the run's own. */
export interface RunTrace {
  /** Runs a process as `run` does; its span goes on in tools that know `TRACEPARENT`. */
  process(spec: ProcessSpec, run: RunProcess): Promise<ProcessResult>
  /** The run has left this worker. */
  end(outcome: string): void
}

/** Without tracing, or of a server that knows of none, processes run as they are. */
export function traceRun(tracing: Tracing, { trace, runId, kind, stack, driver }: Grant): RunTrace {
  const place = placeOf(trace)
  if (!tracing.on || !place) return { process: (spec, run) => run(spec), end() {} }
  const { traceId } = place
  const spanId = newSpanId()
  const startedAt = Date.now()
  const about = { 'trueup.run': runId }
  return {
    async process(spec, run) {
      const own = { traceId, spanId: newSpanId() }
      const began = Date.now()
      let error: string | undefined
      let exitCode: number | null = null
      try {
        const result = await run({ ...spec, env: { ...spec.env, TRACEPARENT: traceparentOf(own) } })
        exitCode = result.exitCode
        return result
      } catch (thrown) {
        error = thrown instanceof Error ? thrown.name : 'failed'
        throw thrown
      } finally {
        const program = spec.argv[0]?.split('/').at(-1) ?? ''
        const attributes = {
          ...about,
          'process.executable.name': program,
          ...(exitCode !== null && { 'process.exit.code': exitCode }),
        }
        tracing.add({
          ...own,
          parentId: spanId,
          name: nameOf(program, spec.argv[1]),
          startedAt: began,
          endedAt: Date.now(),
          attributes,
          ...(error !== undefined && { error }),
        })
      }
    },
    end(outcome) {
      tracing.add({
        traceId,
        spanId,
        parentId: place.spanId,
        name: `${kind} on the worker`,
        startedAt,
        endedAt: Date.now(),
        attributes: {
          ...about,
          'trueup.stack': `${stack.environment}/${stack.name}`,
          'trueup.driver': driver,
          'trueup.outcome': outcome,
        },
        ...(outcome === 'failed' && { error: outcome }),
      })
    },
  }
}

/**
 * Arguments may hold what is secret, and no masker has seen them: only a first one that can be nothing but the tool's own word
 * for what it does (`terraform plan`) is told.
 */
const nameOf = (program: string, first: string | undefined): string =>
  first !== undefined && /^[a-z][a-z-]{1,15}$/.test(first) && VERBS.has(program) ? `${program} ${first}` : program

/** Tools whose first argument is a verb. */
const VERBS = new Set(['terraform', 'tofu', 'terragrunt', 'helm', 'kubectl', 'kustomize', 'git', 'puppet', 'r10k'])
