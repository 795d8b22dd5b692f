import { expect, test, vi } from 'vitest'
import { RUN_LOG_LIMIT } from '../protocol.ts'
import { type LogTime, openLogStream } from './log-stream.ts'
import { createMasker } from './masking.ts'

/** A receiver with the rules of the server: a repeat is dropped, a gap answers what is wanted. */
function receiver() {
  let text = ''
  let sent = 0
  return {
    text: () => text,
    sent: () => sent,
    send: async (offset: number, piece: string) => {
      sent++
      if (offset <= text.length) text += piece.slice(text.length - offset)
      return text.length
    },
  }
}
const open = (send: (offset: number, text: string) => Promise<number>, maxChars?: number) =>
  openLogStream({ masker: createMasker(), now: Date.now, send, onLost: () => {}, ...(maxChars && { maxChars }) })

test('lines arrive in order, in few pieces', async () => {
  const server = receiver()
  const log = open(server.send)
  for (let i = 0; i < 1_000; i++) log.line(`line ${i}`)
  await log.close()
  expect(server.text()).toBe(Array.from({ length: 1_000 }, (_, i) => `line ${i}\n`).join(''))
  expect(server.sent()).toBeLessThan(10)
})

test('a single line is there within a moment, without close', async () => {
  const server = receiver()
  const log = open(server.send)
  log.line('hello')
  await vi.waitFor(() => expect(server.text()).toBe('hello\n'), 180_000)
  log.discard()
})

test('what waits for the server keeps the times at which it was written', async () => {
  const server = receiver()
  const gate = Promise.withResolvers<void>()
  const sent: [offset: number, text: string, times: LogTime[]][] = []
  let now = 1_000
  const log = openLogStream({
    masker: createMasker(),
    now: () => now,
    async send(offset, text, times) {
      sent.push([offset, text, times])
      await gate.promise
      // Of the second piece only half a line is kept: the rest must be sent with its own times.
      return await server.send(offset, sent.length === 2 ? text.slice(0, 6) : text)
    },
    onLost: () => {},
  })
  log.line('first')
  const flushed = log.flush()
  log.line('later')
  now = 1_050
  log.line('as good as then')
  now = 61_000
  log.line('a minute on')
  gate.resolve()
  await flushed
  await log.close()
  expect(server.text()).toBe('first\nlater\nas good as then\na minute on\n')
  expect(sent).toEqual([
    [0, 'first\n', [[0, 1_000]]],
    [
      6,
      'later\nas good as then\na minute on\n',
      [
        [0, 1_000],
        [22, 61_000],
      ],
    ],
    [
      12,
      'as good as then\na minute on\n',
      [
        [0, 1_000],
        [16, 61_000],
      ],
    ],
  ])
})

test('a server that knows only a part gets the rest', async () => {
  const server = receiver()
  let first = true
  const log = open(async (offset, text) => {
    if (!first) return await server.send(offset, text)
    first = false
    return await server.send(offset, text.slice(0, 7))
  })
  for (let i = 0; i < 10; i++) log.line(`line ${i}`)
  await log.close()
  expect(server.text()).toBe(Array.from({ length: 10 }, (_, i) => `line ${i}\n`).join(''))
})

test('pieces do not cut a character of two units', async () => {
  const pieces: string[] = []
  const log = open(async (offset, text) => {
    pieces.push(text)
    return offset + text.length
  })
  log.line(`x${'😀'.repeat(100_000)}`)
  await log.close()
  expect(pieces.length).toBeGreaterThan(1)
  expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
})

test('a log that is too long keeps its beginning and its end, and says what is missing', async () => {
  const server = receiver()
  const log = open(server.send, 10_000)
  for (let i = 0; i < 100_000; i++) log.line(`line ${i}`)
  await log.close()
  expect(server.text().startsWith('line 0\n')).toBe(true)
  expect(server.text().endsWith('line 99999\n')).toBe(true)
  const [, leftOut] = /\[… (\d+) characters left out/.exec(server.text()) ?? []
  const note = /\[….*\n/.exec(server.text())?.[0].length ?? 0
  expect(server.text().length - note + Number(leftOut)).toBe(1_088_890 - 100_000 + 100_000)
  expect(server.text().length).toBeLessThan(80_000)
})

test('the end of a log that is too long has room in what the server keeps', async () => {
  const server = receiver()
  const log = open(server.send)
  for (let i = 0; i < RUN_LOG_LIMIT / 64; i++) log.line('x'.repeat(100))
  log.line('Error: the reason')
  await log.close()
  expect(server.text().length).toBeLessThan(RUN_LOG_LIMIT)
  expect(server.text().endsWith('Error: the reason\n')).toBe(true)
})

test('when sending is over for good, the run hears of it and close does not wait', async () => {
  const lost: unknown[] = []
  const log = openLogStream({
    masker: createMasker(),
    now: Date.now,
    send: () => Promise.reject(new Error('gone')),
    onLost: (reason) => lost.push(reason),
  })
  log.line('x')
  await log.close()
  log.line('y')
  expect(lost).toHaveLength(1)
})
