import { structuredPatch } from 'diff'
import type { Json } from '../../lib/json.ts'

/** Above this many differing lines a diff says nothing to a reader and takes quadratic time. */
const MAX_EDITS = 2_000
const MAX_LINES = 400
export const MAX_SHOWN_CHARS = 20_000

/**
 * What may be told of a hidden text of several lines: how many it has and how many of them change, or, with `diff`, the lines
 * themselves, in which whoever sends them on has to mask the secrets. Undefined for what is one line or no text.
 */
export function toldOfSecret(before: Json | undefined, after: Json | undefined, diff: boolean): string | undefined {
  const [old, next] = [textOf(before), textOf(after)]
  if (old === null || next === null || ![old, next].some((text) => text.trim().includes('\n'))) return undefined
  const patch = structuredPatch('', '', old, next, '', '', { context: 3, maxEditLength: MAX_EDITS })
  const lines = patch?.hunks.flatMap((hunk) => hunk.lines) ?? null
  if (diff && lines) return cut([...lines.slice(0, MAX_LINES), ...(lines.length > MAX_LINES ? ['…'] : [])].join('\n'))
  if (before === undefined || before === null) return counted(next)
  if (after === undefined || after === null) return counted(old)
  const sizes = lineCount(old) === lineCount(next) ? counted(old) : `${counted(old)} become ${lineCount(next)}`
  if (!lines) return `${sizes}, most of them others`
  const count = (sign: string): number => lines.filter((line) => line.startsWith(sign)).length
  return `${sizes}: ${count('+')} written, ${count('-')} taken away`
}

const textOf = (value: Json | undefined): string | null =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : null

const lineCount = (text: string): number => text.replace(/\n$/, '').split('\n').length
const counted = (text: string): string => `${lineCount(text)} ${lineCount(text) === 1 ? 'line' : 'lines'}`
const cut = (text: string): string =>
  text.length <= MAX_SHOWN_CHARS ? text : `${text.slice(0, text.lastIndexOf('\n', MAX_SHOWN_CHARS - 2))}\n…`
