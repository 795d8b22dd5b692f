import type { Output, Plan } from '../plans/plan.ts'
import { valueText } from '../plans/value-text.ts'
import { changeLines, footLines } from './plan-lines.ts'
import type { PlanLine } from './plan-line.ts'
import { oneLine } from './safe-text.ts'

const ESCAPE = '\u001b['
const RESET = `${ESCAPE}0m`
const COLOURS: { readonly [sign in PlanLine['sign']]: string } = {
  '+': `${ESCAPE}32m`,
  '-': `${ESCAPE}31m`,
  '~': `${ESCAPE}33m`,
  '-/+': `${ESCAPE}35m`,
  '<=': `${ESCAPE}36m`,
  '!': `${ESCAPE}33m`,
  '@': `${ESCAPE}36m`,
  ' ': '',
}
const SIGN_WIDTH = 4
const MIN_WIDTH = 40

/** A plan for a terminal; `width` in columns, longer lines are wrapped. Ends without a newline. */
export function renderPlanText(plan: Plan, options: { color: boolean; width: number }): string {
  const width = Math.max(options.width, MIN_WIDTH)
  const changes = changeLines(plan)
  const lines = [
    ...changes.flatMap((line, index) => (line.head && index > 0 ? [BLANK, line] : [line])),
    ...(changes.length > 0 ? [BLANK] : []),
    ...outputLines(plan.outputs),
    ...footLines(plan),
  ]
  return lines.flatMap((line) => wrapped(line, width).map((text) => painted(text, line, options.color))).join('\n')
}

const BLANK: PlanLine = { sign: ' ', text: '' }

function outputLines(outputs: { [name: string]: Output }): PlanLine[] {
  const names = Object.keys(outputs).sort()
  if (names.length === 0) return []
  return [
    { sign: ' ', text: 'Outputs:' },
    ...names.map((name): PlanLine => {
      const { value, sensitive, unknown } = outputs[name] as Output
      return {
        sign: ' ',
        text: `    ${oneLine(name)} = ${oneLine(valueText({ after: value, sensitive, unknown }, 'after', 200))}`,
      }
    }),
    BLANK,
  ]
}

/** The line in pieces of the terminal's width; pieces after the first are indented below its text. */
function wrapped(line: PlanLine, width: number): string[] {
  const sign = line.sign === '@' ? '' : line.sign
  const first = `${sign.padEnd(SIGN_WIDTH)}${line.text}`.trimEnd()
  if (first.length <= width) return [first]
  const indent = ' '.repeat(Math.min(SIGN_WIDTH + (/^ */.exec(line.text)?.[0].length ?? 0) + 2, width / 2))
  const pieces = [first.slice(0, width)]
  const step = width - indent.length
  for (let at = width; at < first.length; at += step) pieces.push(indent + first.slice(at, at + step))
  return pieces
}

function painted(text: string, line: PlanLine, color: boolean): string {
  const colour = color ? COLOURS[line.sign] : ''
  return colour === '' || text === '' ? text : `${colour}${text}${RESET}`
}
