import { styleText } from 'node:util'
import { visible } from '../domain/render/safe-text.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { clip, visibleLength, withColoursApart, withoutColours } from './colours.ts'

/** What a column does where the lines do not fit the terminal. A plain heading is kept as it is; the last one may be cut. */
export interface Column {
  readonly heading: string
  /** `id`: cut to its telling part; `shrinks`: cut with an ellipsis; `goes`: left out, and named below. */
  readonly fit: 'keeps' | 'id' | 'shrinks' | 'goes'
  /** Coloured by what its words say of the state of things. */
  readonly state: boolean
}

/** An id, of which the first 15 characters already say which it is (`run_` and the time of its making). */
export const id = (heading: string): Column => ({ heading, fit: 'id', state: false })
/** Text of people or tools, of which the beginning is enough. */
export const shrinks = (heading: string): Column => ({ heading, fit: 'shrinks', state: false })
/** What can be missed. */
export const goes = (heading: string): Column => ({ heading, fit: 'goes', state: false })
/** What the table is looked at for: never cut, and coloured. */
export const state = (heading: string): Column => ({ heading, fit: 'keeps', state: true })

export type Heading = string | Column

export interface Drawing {
  /** Columns of the terminal, none where nothing bounds the lines. */
  width: number | undefined
  colours: boolean
  /** Headings that a person asked for (`--columns`), in their order. */
  columns: readonly string[] | undefined
}

/** Characters of an id that tell it apart: its kind, nine of time, two of a counter. */
const ID_LENGTH = 15
/** Less of a text would say nothing. */
const NARROWEST = 10

/** Rows under upper-case headings, two spaces between columns; '' without rows. */
export function drawTable(
  headings: readonly Heading[],
  rows: readonly (readonly string[])[],
  { width, colours, columns }: Drawing,
): string {
  if (rows.length === 0) return ''
  const all = headings.map((heading, index) => columnOf(heading, index === headings.length - 1))
  const chosen = columns === undefined ? all.map((_, index) => index) : choose(all, columns)
  const cells = rows.map((row) => all.map((_, index) => cell(row[index] ?? '')))
  const { shown, widths, left } = fit(all, chosen, cells, columns === undefined ? width : undefined)
  const draw = (line: readonly string[], paint: boolean): string =>
    shown
      .map((index, position) => {
        const text = cut(line[index]!, widths.get(index)!, all[index]!)
        const painted = paint && colours && all[index]!.state ? painter(text) : text
        return position === shown.length - 1 ? painted : painted + ' '.repeat(widths.get(index)! - visibleLength(text))
      })
      .join('  ')
      .trimEnd()
  const lines = [
    draw(
      all.map(({ heading }) => heading.toUpperCase()),
      false,
    ),
    ...cells.map((line) => draw(line, true)),
  ]
  if (left.length > 0) lines.push(`(no room for ${left.join(', ')}: --columns names what to show)`)
  return lines.join('\n')
}

const columnOf = (heading: Heading, last: boolean): Column =>
  typeof heading === 'string' ? { heading, fit: last ? 'shrinks' : 'keeps', state: false } : heading

/** A heading as it is given to `--columns`: `last seen` is `last-seen`. */
const nameOf = ({ heading }: Column): string => heading.toLowerCase().replaceAll(' ', '-')

/** Whether any of the headings is asked for: of several tables of one command those that know none stay whole. */
export const knowsAny = (headings: readonly Heading[], columns: readonly string[]): boolean =>
  headings.some((heading) => columns.includes(nameOf(columnOf(heading, false))))

/** The names of all columns, as `--columns` takes them. */
export const columnNames = (headings: readonly Heading[]): string[] =>
  headings.map((heading) => nameOf(columnOf(heading, false)))

function choose(all: readonly Column[], columns: readonly string[]): number[] {
  return columns.map((name) => {
    const index = all.findIndex((column) => nameOf(column) === name)
    if (index >= 0) return index
    throw new TrueupError('INVALID_REQUEST', {
      doing: `showing the column ${name}`,
      why: 'the table has none of that name',
      next: `It has ${all.map(nameOf).join(', ')}.`,
    })
  })
}

/** Which columns are shown, how wide each is, and the headings of those left out. */
function fit(
  all: readonly Column[],
  chosen: readonly number[],
  cells: readonly (readonly string[])[],
  width: number | undefined,
): { shown: number[]; widths: Map<number, number>; left: string[] } {
  const natural = (index: number): number =>
    Math.max(all[index]!.heading.length, ...cells.map((line) => visibleLength(line[index]!)))
  const widths = new Map(chosen.map((index) => [index, natural(index)]))
  const shown = [...chosen]
  const left: string[] = []
  if (width === undefined) return { shown, widths, left }
  const excess = (): number =>
    shown.reduce((sum, index) => sum + widths.get(index)!, 0) + 2 * (shown.length - 1) - width
  if (excess() > 0)
    for (const index of shown) if (all[index]!.fit === 'id') widths.set(index, Math.min(widths.get(index)!, ID_LENGTH))
  shrink()
  while (excess() > 0) {
    const index = shown.findLast((each) => all[each]!.fit === 'goes')
    if (index === undefined) break
    shown.splice(shown.indexOf(index), 1)
    left.unshift(all[index]!.heading)
    for (const each of shown) if (all[each]!.fit === 'shrinks') widths.set(each, natural(each))
    shrink()
  }
  return { shown, widths, left }

  /** Takes from the widest text first, so that short ones stay whole. */
  function shrink(): void {
    const texts = shown.filter((index) => all[index]!.fit === 'shrinks')
    const least = (index: number): number => Math.max(NARROWEST, all[index]!.heading.length)
    while (excess() > 0) {
      const widest = texts
        .filter((index) => widths.get(index)! > least(index))
        .sort((a, b) => widths.get(b)! - widths.get(a)!)[0]
      if (widest === undefined) return
      widths.set(widest, widths.get(widest)! - 1)
    }
  }
}

/** Without an ellipsis for an id: what is shown can be copied, and commands take it. */
const cut = (text: string, width: number, { fit: how }: Column): string =>
  visibleLength(text) <= width
    ? text
    : how === 'id'
      ? withoutColours(text).slice(0, width)
      : clip(withoutColours(text), width)

/** One line without anything that a terminal would obey: titles and messages are other people's. Our own colours stay. */
const cell = (text: string): string => withColoursApart(text, (part) => visible(part.replace(/\s*[\r\n\t]\s*/g, ' ')))

const GOOD = /^(in sync|succeeded|success|merged|connected|ready|healthy|healed|active|done|pass|right)\b/
const BAD = /^(failed|failure|unreachable|blocked|quarantined|revoked|expired|lost|degraded|error|orphaned|unusable)\b/
const NOTICED =
  /^(drifted|partly checked|pending|awaiting approval|away|missing|open|warning|new|unhealthy|codified|stale|unknown)\b/
const UNDER_WAY = /^(queued|leased|preparing|planning|applying|verifying|deploying|merging|running|progressing)\b/

/** The state in the colour of what it means; other words as they are. */
function painter(text: string): string {
  const words = text.replaceAll('_', ' ')
  const style = GOOD.test(words)
    ? 'green'
    : BAD.test(words)
      ? 'red'
      : NOTICED.test(words)
        ? 'yellow'
        : UNDER_WAY.test(words)
          ? 'blue'
          : undefined
  return style === undefined ? text : styleText(style, text, { validateStream: false })
}
