import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TrueupError } from '../lib/errors/error.ts'
import { formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['366d', 366 * 86_400_000],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBe(ms))

  it.each(['', '10', '10 m', '-1s', '1.5h', '1h30m', '10M', '367d', '99999999999999999999d', '10m\n', '１0m'])(
    'refuses %j',
    (text) => expect(() => parseDuration(text)).toThrow(TrueupError),
  )
})

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [-5, '0ms'],
    [250, '250ms'],
    [45_000, '45s'],
    [5_400_000, '1h 30m'],
    [3_600_000 + 1, '1h'],
    [90_061_000, '1d 1h'],
  ])('%d is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

  it('gives back what it reads, for whole units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 365 }), (days) => {
        expect(parseDuration(formatDuration(days * 86_400_000))).toBe(days * 86_400_000)
      }),
    )
  })
})
