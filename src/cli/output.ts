import { styleText } from 'node:util'
import { visible } from '../domain/render/safe-text.ts'

/** Where a command writes. Results alone go to `out`; everything for the eyes of a person goes to `err`. */
export interface Streams {
  out: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
  err: NodeJS.WritableStream & { isTTY?: boolean; columns?: number }
  env: NodeJS.ProcessEnv
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan'

/** Draws for the width of stdout: of the terminal, unbounded where it is a file or a pipe. */
export interface Layout {
  /** Columns, 100 where nothing bounds them. */
  readonly width: number
  /** Rows under upper-case headings. On a terminal the last column is cut where the lines would not fit. */
  readonly table: (headings: readonly string[], rows: readonly (readonly string[])[]) => string
  /** The text in lines that fit, each behind `indent`. */
  readonly wrap: (text: string, indent?: string) => string
}

export interface Output {
  readonly json: boolean
  /** People watch `err` on a terminal, so that a line may be rewritten. */
  readonly live: boolean
  /** The command's result: as JSON text under `--output json`, otherwise as `text` renders it (nothing for ''). */
  result(value: unknown, text: (layout: Layout) => string): void
  /** A line for people, on stderr. Like `progress` left out where only a program can read it. */
  note(line: string): void
  /** A line that changes: rewritten in place on a terminal, printed once per different line elsewhere. */
  progress(line: string): void
  /** Ends the rewritten line, leaving it (`keep`) or wiping it. */
  endProgress(keep?: boolean): void
  /** Colours where `stream` is a terminal that wants them, the plain text elsewhere. */
  paint(style: Style, text: string, stream?: 'out' | 'err'): string
}

export function createOutput(streams: Streams, json: boolean): Output {
  const { out, err, env } = streams
  const layout = layoutOf(out)
  // A program reads both streams: then stderr has nothing but the error, as JSON.
  const unread = json && !err.isTTY
  let current = ''
  const wipe = () => {
    if (current !== '' && err.isTTY) err.write('\r\u001b[2K')
    current = ''
  }
  return {
    json,
    live: err.isTTY === true,
    result(value, text) {
      wipe()
      if (json) out.write(`${JSON.stringify(value, null, 2)}\n`)
      else {
        const rendered = text(layout)
        // Silence would leave open whether it worked. Not on stdout, where scripts count lines.
        if (rendered === '' && Array.isArray(value) && value.length === 0) err.write('none\n')
        if (rendered !== '') out.write(rendered.endsWith('\n') ? rendered : `${rendered}\n`)
      }
    },
    note(line) {
      if (unread) return
      wipe()
      err.write(`${line}\n`)
    },
    progress(line) {
      if (unread || line === current) return
      if (err.isTTY) err.write(`\r\u001b[2K${clip(line, (err.columns ?? 80) - 1)}`)
      else err.write(`${line}\n`)
      current = line
    },
    endProgress(keep = false) {
      if (keep && current !== '' && err.isTTY) {
        err.write('\n')
        current = ''
      } else wipe()
    },
    paint(style, text, stream = 'out') {
      return wantsColour(stream === 'out' ? out : err, env) ? styleText(style, text, { validateStream: false }) : text
    },
  }
}

/** How to lay out text on a stream: by its width on a terminal, without cutting anything elsewhere. */
export function layoutOf(stream: Streams['out']): Layout {
  const columns = stream.isTTY ? (stream.columns ?? 80) : undefined
  return {
    width: columns ?? 100,
    table: (headings, rows) => table(headings, rows, columns),
    wrap: (text, indent = '') => wrap(text, columns ?? 100, indent),
  }
}

/** https://no-color.org and https://force-color.org: any non-empty value counts. */
function wantsColour(stream: Streams['out'], env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** Columns as wide as their widest cell, the last one unpadded and cut at `width` where that is given. */
function table(headings: readonly string[], rows: readonly (readonly string[])[], width?: number): string {
  if (rows.length === 0) return ''
  const last = headings.length - 1
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows.map((row) => row.map(cell))]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => visibleLength(line[column] ?? ''))))
  const left = widths.slice(0, last).reduce((sum, each) => sum + each + 2, 0)
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(width - left, NARROWEST)
  return lines
    .map((line) =>
      headings
        .map((_, column) => {
          const text = line[column] ?? ''
          if (column === last) return visibleLength(text) > room ? clip(withoutColours(text), room) : text
          return text + ' '.repeat(widths[column]! - visibleLength(text))
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Less of the last column would say nothing. */
const NARROWEST = 10

/** One line without anything that a terminal would obey: titles and messages are other people's. Our own colours stay. */
const cell = (text: string): string =>
  text
    .split(COLOURS)
    .map((part, index) => (index % 2 === 1 ? part : visible(part.replace(/\s*[\r\n\t]\s*/g, ' '))))
    .join('')

function wrap(text: string, width: number, indent: string): string {
  const room = Math.max(width - indent.length, NARROWEST)
  const lines: string[] = []
  for (const paragraph of visible(text).split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > room) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines.map((line) => `${indent}${line}`.trimEnd()).join('\n')
}

/** `key  value` lines for one object. */
export function fields(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([key]) => key.length))
  return pairs.map(([key, value]) => `${key.padEnd(width)}  ${visible(value)}`).join('\n')
}

/** A time for people: ISO without milliseconds, or `-`. */
export const when = (at: number | null | undefined): string =>
  at === null || at === undefined ? '-' : new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')

// oxlint-disable-next-line no-control-regex -- counting what a terminal shows means leaving out its escape sequences
const COLOURS = /(\u001b\[[0-9;]*m)/
const withoutColours = (text: string): string =>
  text
    .split(COLOURS)
    .filter((_, index) => index % 2 === 0)
    .join('')
const visibleLength = (text: string): number => withoutColours(text).length
const clip = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text)

/** All items of an asynchronous list. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
