import { isLarge } from '../domain/plans/large.ts'
import { valueText } from '../domain/plans/value-text.ts'
import type { Json } from '../lib/json.ts'
import type { DriftRecord } from '../server/schemas/drift.ts'
import { type Layout } from './output.ts'
import { id, shrinks, state } from './table.ts'
import { when as timestamp } from './times.ts'

/** Drift records as a table; values last, because they are what may be long. */
export const driftTable = (records: readonly DriftRecord[], { table, when }: Layout): string =>
  table(
    [id('record'), 'stack', state('state'), 'since', 'by', shrinks('what'), 'git says → is'],
    records.map((row) => [
      row.id,
      row.stack,
      row.accepted && row.state === 'accepted' ? `accepted until ${timestamp(row.accepted.until)}` : row.state,
      when(row.changedBy?.at ?? row.since),
      row.changedBy?.who ?? '-',
      row.attribute === '' ? row.address : `${row.address}: ${row.attribute}`,
      row.attribute === '' && row.actual === null ? 'not as it should be' : difference(row.expected, row.actual),
    ]),
  )

/** Characters of one side. The whole values are in `--output json`. */
const LONGEST = 80

/** What differs, on one line: of texts with several lines the first that is not the same, and how many more follow. */
function difference(expected: Json, actual: Json): string {
  if (typeof expected !== 'string' || typeof actual !== 'string' || !(/\n./.test(expected) || /\n./.test(actual)))
    return `${valueOf(expected)} → ${valueOf(actual)}`
  const [before, after] = [expected.split('\n'), actual.split('\n')]
  const [shorter, longer] = [Math.min(before.length, after.length), Math.max(before.length, after.length)]
  let start = 0
  while (start < shorter && before[start] === after[start]) start++
  let end = 0
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const side = (lines: string[]): string => (start < lines.length - end ? valueOf(lines[start]!.trim()) : 'no line')
  const more = longer - end - start - 1
  return `line ${start + 1}: ${side(before)} → ${side(after)}${more > 0 ? ` (and ${more} more)` : ''}`
}

function valueOf(value: Json): string {
  if (value === null) return 'nothing'
  if (typeof value !== 'string' || isLarge(value)) return valueText({ after: value }, 'after', LONGEST)
  return value.length > LONGEST ? `${value.slice(0, LONGEST - 1)}…` : value
}
