import { expect, it } from 'vitest'
import { stamping } from './run-log.ts'

it('begins each line with its own time, also a line that comes in two parts, and an empty one', () => {
  const stamp = stamping()
  const first = stamp(
    {
      text: 'one\ntwo\n\nhal',
      times: [
        { offset: 0, at: 0 },
        { offset: 4, at: 1_500 },
      ],
      next: 12,
      done: false,
    },
    0,
  )
  const second = stamp(
    {
      text: 'f\nlast',
      times: [
        { offset: 12, at: 1_500 },
        { offset: 14, at: 61_000 },
      ],
      next: 18,
      done: true,
    },
    12,
  )
  expect(first + second).toBe(
    [
      '1970-01-01T00:00:00.000Z one',
      '1970-01-01T00:00:01.500Z two',
      '1970-01-01T00:00:01.500Z ',
      '1970-01-01T00:00:01.500Z half',
      '1970-01-01T00:01:01.000Z last',
    ].join('\n'),
  )
  expect(stamping()({ text: '', times: [], next: 0, done: true }, 0)).toBe('')
})
