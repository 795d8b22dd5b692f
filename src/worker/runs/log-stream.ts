import { LOG_TIMES, RUN_LOG_LIMIT } from '../protocol.ts'
import type { Masker } from './masking.ts'

export interface LogStreamOptions {
  masker: Masker
  /**
   * Hands over text that begins at `offset` and answers the offset that is wanted next. Repeats by itself. `times`: from which
   * of its characters on it was written when.
   */
  send: (offset: number, text: string, times: LogTime[]) => Promise<number>
  /** The server's time, in milliseconds. */
  now(): number
  /** Sending is over for good: the lease is lost, or the server answers nonsense. */
  onLost(reason: unknown): void
  /** Characters after which the middle of the log is left out. Default 8 Mi. */
  maxChars?: number
}

/** Characters after the beginning of a piece, and the time of what follows. */
export type LogTime = [after: number, at: number]

/** The log of one run on its way to the server: ordered, masked, and kept until acknowledged. */
export interface LogStream {
  line: (line: string) => void
  /** Resolves when all that was added is acknowledged (but for what may be the beginning of a secret). */
  flush(): Promise<void>
  /** Sends everything and resolves when it is acknowledged; nothing may be added after it. */
  close(): Promise<void>
  /** Forgets everything that is not sent. */
  discard(): void
}

/** A line is shown this late at most; a busy tool fills a batch sooner. */
const BATCH_MS = 100
const BATCH_CHARS = 16 * 1024
const MAX_CHUNK_CHARS = 64 * 1024
/** Below what the server keeps, with room for the end of this lease and for an earlier one's log: else the end is lost. */
const MAX_CHARS = RUN_LOG_LIMIT - 2 * 1024 * 1024
/** What is kept of the end of a log that is too long: that is where errors stand. */
const TAIL_CHARS = 64 * 1024

interface Chunk {
  offset: number
  text: string
  times: LogTime[]
}

/** Lines that are closer together have one time. */
const TIME_MS = 100

export function openLogStream(options: LogStreamOptions): LogStream {
  const { masker, send } = options
  const limit = options.maxChars ?? MAX_CHARS
  const mask = masker.stream()
  const chunks: Chunk[] = []
  let end = 0
  let tail = ''
  let leftOut = 0
  let lost = false
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let sending: Promise<void> | undefined

  function append(text: string): void {
    if (text === '' || lost) return
    const last = chunks.at(-1)
    // The first chunk may be on its way: it must not change.
    const at = Math.floor(options.now())
    if (last && chunks.length > 1 && last.text.length + text.length <= MAX_CHUNK_CHARS) {
      const isLater = at - last.times.at(-1)![1] >= TIME_MS
      if (isLater && last.times.length < LOG_TIMES) last.times.push([last.text.length, at])
      last.text += text
    } else {
      for (const piece of pieces(text)) chunks.push({ offset: end + piece.from, text: piece.text, times: [[0, at]] })
    }
    end += text.length
    if (end - chunks[0]!.offset >= BATCH_CHARS) pump()
    else timer ??= setTimeout(pump, BATCH_MS)
  }

  function line(text: string): void {
    if (lost || closed) return
    const masked = mask.push(`${text}\n`)
    if (end < limit) append(masked)
    else keepTail(masked)
  }

  function keepTail(text: string): void {
    tail += text
    if (tail.length < 2 * TAIL_CHARS) return
    leftOut += tail.length - TAIL_CHARS
    tail = tail.slice(-TAIL_CHARS)
  }

  function pump(): void {
    clearTimeout(timer)
    timer = undefined
    sending ??= drain().finally(() => (sending = undefined))
  }

  async function drain(): Promise<void> {
    for (let chunk = chunks[0]; chunk && !lost; chunk = chunks[0]) {
      try {
        acknowledge(await send(chunk.offset, chunk.text, chunk.times))
      } catch (thrown) {
        lost = true
        discardChunks()
        options.onLost(thrown)
      }
    }
  }

  function acknowledge(next: number): void {
    const first = chunks[0]
    if (!first) return
    if (next < first.offset || next > end)
      throw new Error(`the server wants the log from ${next}, kept is ${first.offset}–${end}`)
    while (chunks[0] && chunks[0].offset + chunks[0].text.length <= next) chunks.shift()
    const partly = chunks[0]
    if (partly && partly.offset < next) chunks[0] = after(partly, next)
  }

  function discardChunks(): void {
    chunks.length = 0
    clearTimeout(timer)
    timer = undefined
  }

  async function flush(): Promise<void> {
    while (chunks.length > 0 && !lost) {
      pump()
      await sending
    }
  }

  return {
    line,
    flush,
    async close() {
      const rest = mask.flush()
      if (end < limit) append(rest)
      else {
        keepTail(rest)
        leftOut += Math.max(0, tail.length - TAIL_CHARS)
        if (leftOut > 0) append(`[… ${leftOut} characters left out: the log is longer than ${limit} …]\n`)
        append(tail.slice(-TAIL_CHARS))
      }
      closed = true
      await flush()
    },
    discard() {
      lost = true
      discardChunks()
    },
  }
}

/** What of a chunk comes after an offset inside it. */
function after({ offset, text, times }: Chunk, next: number): Chunk {
  const known = next - offset
  const first = times.findLastIndex(([from]) => from <= known)
  const left = times.slice(first).map(([from, at]): LogTime => [Math.max(0, from - known), at])
  return { offset: next, text: text.slice(known), times: left }
}

/** Pieces of at most the chunk's size that do not cut a surrogate pair. */
function pieces(text: string): { from: number; text: string }[] {
  const result: { from: number; text: string }[] = []
  for (let from = 0; from < text.length; ) {
    let to = Math.min(text.length, from + MAX_CHUNK_CHARS)
    if (to < text.length && /[\uD800-\uDBFF]/.test(text[to - 1]!)) to--
    result.push({ from, text: text.slice(from, to) })
    from = to
  }
  return result
}
