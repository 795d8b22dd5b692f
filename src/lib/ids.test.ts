import { expect, test } from 'vitest'
import { continueAfter, newId } from './ids.ts'

test('ids sort in the order of making, also in one millisecond and while the clock is behind', () => {
  const now = Date.now()
  const made = Array.from({ length: 3_000 }, () => newId('run', now))
  made.push(newId('run', now + 5), newId('run', now - 60_000))
  expect(made.toSorted()).toEqual(made)
})

test('a process goes on behind what an earlier one made with a clock that was ahead', () => {
  const earlier = newId('run', Date.now() + 365 * 86_400_000)
  continueAfter(earlier)
  const later = newId('run')
  expect(later > earlier).toBe(true)
  for (const other of ['', 'run', 'not an id', 'run_short']) continueAfter(other)
  expect(newId('run') > later).toBe(true)
})
