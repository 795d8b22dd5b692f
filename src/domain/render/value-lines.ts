import { structuredPatch } from 'diff'
import type { Json } from '../../lib/json.ts'
import { isLarge } from '../plans/large.ts'
import { valueText } from '../plans/value-text.ts'
import type { AttributeChange } from '../plans/plan.ts'
import type { PlanLine } from './plan-line.ts'
import { cut, oneLine, visible } from './safe-text.ts'

/** A value on one line; longer ones go over several. */
const MAX_INLINE = 240
/** Above this many differing lines a diff says nothing to a reader and takes quadratic time. */
const MAX_EDITS = 2_000
const MAX_BLOCK_LINES = 400

/** An attribute's change as lines, indented below its resource. */
export function attributeLines(attribute: AttributeChange, sign: PlanLine['sign']): PlanLine[] {
  const name = oneLine(attribute.path) + (attribute.unstable ? ' (unstable, not compared)' : '')
  if (attribute.sensitive && attribute.shown !== undefined) return secretLines(name, attribute.shown, sign)
  const [before, after] = [blockText(attribute, 'before'), blockText(attribute, 'after')]
  if (before !== null || after !== null) {
    return [
      { sign, text: `    ${name}:` },
      ...diffLines(before ?? sideText(attribute, 'before'), after ?? sideText(attribute, 'after')),
    ]
  }
  return [{ sign, text: `    ${name}: ${inline(attribute, sign)}` }]
}

/** How many lines change, or the lines without their secrets. */
function secretLines(name: string, shown: string, sign: PlanLine['sign']): PlanLine[] {
  if (!shown.includes('\n')) return [{ sign, text: `    ${name}: (sensitive, ${oneLine(shown)})` }]
  return [{ sign, text: `    ${name}: (secrets masked)` }, ...shown.split('\n').map(diffLine)]
}

function inline(attribute: AttributeChange, sign: PlanLine['sign']): string {
  const shown = (side: 'before' | 'after') => oneLine(valueText(attribute, side, MAX_INLINE))
  if (sign === '+') return shown('after')
  if (sign === '-') return shown('before')
  if (attribute.sensitive && !attribute.unknown && attribute.before !== undefined && attribute.after !== undefined) {
    return '(sensitive) changes'
  }
  return `${shown('before')} → ${shown('after')}`
}

/** The side as text of several lines, where it is better read so; null for what fits on one line or is not shown. */
function blockText(attribute: AttributeChange, side: 'before' | 'after'): string | null {
  const value = attribute[side]
  if (value === undefined || attribute.sensitive || isLarge(value)) return null
  if (side === 'after' && attribute.unknown) return null
  if (typeof value === 'string') return /[\r\n]/.test(value.slice(0, -1)) ? value : null
  if (value === null || typeof value !== 'object') return null
  return JSON.stringify(value).length > MAX_INLINE ? pretty(value) : null
}

/** The other side of a block: nothing, or its single line. What is not known yet has no value, but is not nothing. */
function sideText(attribute: AttributeChange, side: 'before' | 'after'): string {
  const value = attribute[side]
  if (side === 'after' && attribute.unknown) return valueText(attribute, side)
  if (value === undefined || value === null) return ''
  if (typeof value === 'string' && !attribute.sensitive) return value
  return valueText(attribute, side, MAX_INLINE)
}

const pretty = (value: Json): string => JSON.stringify(value, null, 2)

/** A unified diff with three lines of context. */
function diffLines(before: string, after: string): PlanLine[] {
  const patch = structuredPatch('', '', before, after, '', '', {
    context: 3,
    maxEditLength: MAX_EDITS,
    stripTrailingCr: false,
  })
  if (!patch)
    return [
      { sign: ' ', text: `        (${countLines(before)} lines become ${countLines(after)}, too different to show)` },
    ]
  const lines = patch.hunks.flatMap((hunk) => [
    { sign: '@', text: `       @@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@` } as const,
    ...hunk.lines.map(diffLine),
  ])
  if (lines.length <= MAX_BLOCK_LINES) return lines
  return [
    ...lines.slice(0, MAX_BLOCK_LINES),
    { sign: ' ', text: `        … ${lines.length - MAX_BLOCK_LINES} more lines of this value` },
  ]
}

function diffLine(line: string): PlanLine {
  const sign = line.startsWith('+') ? '+' : line.startsWith('-') ? '-' : ' '
  return { sign, text: `        ${cut(visible(line.slice(1)), 2_000)}` }
}

const countLines = (text: string): number => text.split('\n').length
