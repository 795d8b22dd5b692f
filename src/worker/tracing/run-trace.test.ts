import { expect, it } from 'vitest'
import type { ProcessResult, ProcessSpec } from '../../lib/process/supervise.ts'
import type { EndedSpan } from '../../lib/tracing/span.ts'
import type { Grant } from '../protocol.ts'
import { traceRun } from './run-trace.ts'

const PLACE = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
const grant = {
  runId: 'run_1',
  kind: 'deploy',
  driver: 'terraform',
  stack: { environment: 'production', name: 'dns' },
  trace: `00-${PLACE.traceId}-${PLACE.spanId}-01`,
} as Grant

function traced(given: Grant = grant) {
  const spans: EndedSpan[] = []
  const trace = traceRun({ on: true, add: (span) => spans.push(span), close: async () => {} }, given)
  const environments: ProcessSpec['env'][] = []
  const run = async (spec: ProcessSpec): Promise<ProcessResult> => {
    environments.push(spec.env)
    if (spec.argv[0] === 'missing') throw new Error('there is no program secret')
    return { exitCode: 2 } as ProcessResult
  }
  return { trace, spans, environments, process: (...argv: string[]) => trace.process({ argv, env: { A: '1' } }, run) }
}

it('tells of processes by program and verb, and hands its place on', async () => {
  const { trace, spans, environments, process } = traced()
  await process('/usr/bin/terraform', 'plan', '-var=password=secret')
  await process('terraform', '-chdir=secret', 'plan')
  await process('/bin/sh', 'secret')
  await expect(process('missing')).rejects.toThrow('no program')
  trace.end('failed')
  expect(spans.map(({ name }) => name)).toEqual([
    'terraform plan',
    'terraform',
    'sh',
    'missing',
    'deploy on the worker',
  ])
  expect(JSON.stringify(spans)).not.toContain('secret')
  const run = spans.at(-1)!
  expect(run).toMatchObject({ ...PLACE, spanId: run.spanId, parentId: PLACE.spanId, error: 'failed' })
  // An exit code is the tool's own language: 2 of a plan says that there are changes.
  expect(spans[0]).toMatchObject({ parentId: run.spanId, attributes: { 'process.exit.code': 2 } })
  expect(spans[0]!.error).toBeUndefined()
  expect(environments[0]).toEqual({ A: '1', TRACEPARENT: `00-${PLACE.traceId}-${spans[0]!.spanId}-01` })
})

it.each([undefined, 'no such thing'])(
  'leaves processes as they are where the server names no place (%s)',
  async (trace) => {
    const { spans, environments, process } = traced({ ...grant, trace })
    await process('terraform', 'plan')
    expect([spans, environments]).toEqual([[], [{ A: '1' }]])
  },
)
