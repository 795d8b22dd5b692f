import { styleText } from 'node:util'
import { visible } from '../domain/render/safe-text.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { clip } from './colours.ts'
import { columnNames, drawTable, type Heading, knowsAny } from './table.ts'
import { ago, when } from './times.ts'

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
  /** Rows under upper-case headings. On a terminal columns give way as they say where the lines would not fit. */
  readonly table: (headings: readonly Heading[], rows: readonly (readonly string[])[]) => string
  /** A time that is not a deadline: `5 min ago`, or ISO where that was asked for (`--absolute`); `-` for none. */
  readonly when: (at: number | null | undefined) => string
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

/** How a person wants results to be drawn. */
export interface Wishes {
  /** Times as ISO 8601 instead of how long ago. */
  absolute?: boolean
  /** Columns of tables, in this order. */
  columns?: readonly string[]
  /** The screen is wiped before each result, which is followed by the time of the look. */
  redrawn?: boolean
}

export function createOutput(streams: Streams, json: boolean, wishes: Wishes = {}): Output {
  const { out, err, env } = streams
  const drawn: { names: string[]; known: boolean } = { names: [], known: false }
  const layout = layoutOf(out, { wishes, env, drawn })
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
        if (wishes.columns !== undefined && drawn.names.length > 0 && !drawn.known)
          throw unknownColumns(wishes.columns, drawn.names)
        if (wishes.redrawn) {
          out.write(`${CLEAR}${rendered || 'none'}\n\n${when(Date.now())}\n`)
          return
        }
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

/** To the upper left corner, and nothing below it. */
const CLEAR = '\u001b[H\u001b[J'

/** What a layout drew so far: columns that it could have shown, and whether one of those asked for was among them. */
interface Drawn {
  names: string[]
  known: boolean
}

/** How to lay out text on a stream: by its width on a terminal, without cutting anything elsewhere. */
export function layoutOf(
  stream: Streams['out'],
  options: { wishes?: Wishes; env?: NodeJS.ProcessEnv; drawn?: Drawn } = {},
): Layout {
  const { wishes = {}, env = {}, drawn = { names: [], known: false } } = options
  const width = stream.isTTY ? (stream.columns ?? 80) : undefined
  const now = Date.now()
  return {
    width: width ?? 100,
    table(headings, rows) {
      const known = wishes.columns !== undefined && knowsAny(headings, wishes.columns)
      if (rows.length > 0) drawn.names.push(...columnNames(headings))
      drawn.known ||= known
      return drawTable(headings, rows, {
        width,
        colours: wantsColour(stream, env),
        columns: known ? wishes.columns : undefined,
      })
    },
    wrap: (text, indent = '') => wrap(text, width ?? 100, indent),
    when: wishes.absolute ? when : (at) => ago(at, now),
  }
}

const unknownColumns = (columns: readonly string[], names: readonly string[]): TrueupError =>
  new TrueupError('INVALID_REQUEST', {
    doing: `showing the columns ${columns.join(', ')}`,
    why: columns.length === 1 ? 'there is none of that name' : 'there are none of these names',
    next: `There are ${[...new Set(names)].join(', ')}.`,
  })

/** https://no-color.org and https://force-color.org: any non-empty value counts. */
function wantsColour(stream: Streams['out'], env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** Narrower lines would hold a word each. */
const NARROWEST = 10

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

/** All items of an asynchronous list. */
export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}
