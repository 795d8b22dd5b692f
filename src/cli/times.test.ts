import { expect, it } from 'vitest'
import { ago, when } from './times.ts'

const NOW = Date.parse('2026-06-15T12:00:00Z')
const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000]

it.each([
  [0, 'now'],
  [900, 'now'],
  [SECOND, '1 s ago'],
  [119 * SECOND, '119 s ago'],
  [2 * MINUTE, '2 min ago'],
  [119 * MINUTE, '119 min ago'],
  [2 * HOUR, '2 h ago'],
  [47 * HOUR, '47 h ago'],
  [59.9 * DAY, '59 d ago'],
  [60 * DAY, '2026-04-16'],
  [-3 * MINUTE, 'in 3 min'],
  [-40 * DAY, 'in 40 d'],
])('says of %d ms before now: %s', (before, said) => {
  expect(ago(NOW - before, NOW)).toBe(said)
})

it('says nothing of what has not been', () => {
  expect([ago(null, NOW), ago(undefined, NOW), when(null)]).toEqual(['-', '-', '-'])
  expect(when(NOW)).toBe('2026-06-15T12:00:00Z')
})
