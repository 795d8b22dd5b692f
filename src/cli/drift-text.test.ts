import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import type { Json } from '../lib/json.ts'
import { driftTable } from './drift-text.ts'
import { createOutput } from './output.ts'

/** The last column of one record's line. */
function shown(expected: Json, actual: Json): string {
  const out = new PassThrough()
  const record = {
    id: 'drift_1',
    stack: 'production/web',
    stackId: 'stack_1',
    address: '/etc/app.conf',
    attribute: 'content',
    expected,
    actual,
    actions: ['update' as const],
    state: 'open' as const,
    since: 0,
    lastSeenAt: 0,
    closedAt: null,
    rightUntil: null,
    changedBy: null,
    healCount: 0,
    accepted: null,
    run: 'run_1',
  }
  createOutput({ out, err: new PassThrough(), env: {} }, false).result([record], (layout) =>
    driftTable([record], layout),
  )
  const [heading = '', line = ''] = String(out.read()).split('\n')
  return line.slice(heading.indexOf('GIT SAYS'))
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i + 1}`)

it('shows short values as they are', () => {
  expect(shown('0644', '0600')).toBe('0644 → 0600')
  expect(shown('one\n', 'two\n')).toBe('one → two')
  expect(shown({ a: 1 }, null)).toBe('{"a":1} → nothing')
})

it('shows of a file only the first line that differs', () => {
  const actual = lines(300)
  actual[199] = '  keepalive 5s;'
  expect(shown(`${lines(300).join('\n')}\n`, `${actual.join('\n')}\n`)).toBe('line 200: line 200 → keepalive 5s;')
  expect(shown(lines(5).join('\n'), ['new', ...lines(5)].join('\n'))).toBe('line 1: no line → new')
  expect(shown(lines(5).join('\n'), 'line 1\nline 5')).toBe('line 2: line 2 → no line (and 2 more)')
})

it('cuts what is long', () => {
  expect(shown('x'.repeat(500), 'y')).toBe(`${'x'.repeat(79)}… → y`)
  expect(shown('x'.repeat(500).concat('\nz'), 'a\nz')).toBe(`line 1: ${'x'.repeat(79)}… → a`)
  expect(shown({ list: lines(100) }, []).length).toBeLessThan(120)
})
