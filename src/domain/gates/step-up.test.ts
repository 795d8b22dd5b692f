import { expect, it } from 'vitest'
import { withStepUp } from './step-up.ts'
import type { Review } from './votes.ts'

const MINUTE = 60_000
const review = (more: Partial<Review>): Review => ({
  userId: 'ann',
  userName: 'ann',
  verdict: 'approve',
  digests: {},
  at: 100 * MINUTE,
  ...more,
})
const barred = (more: Partial<Review>, within: number | null = 15 * MINUTE): string | undefined =>
  withStepUp([review(more)], within)[0]!.barred

it.each<[string, Partial<Review>, boolean]>([
  ['proven just before', { provenAt: 99 * MINUTE }, true],
  ['proven as long ago as may be', { provenAt: 85 * MINUTE }, true],
  ['proven too long ago', { provenAt: 84 * MINUTE }, false],
  ['never proven', { provenAt: null }, false],
  ['given where nothing is known of it, as on a forge', {}, false],
])('an approval %s counts: %j → %s', (_name, more, counts) => {
  expect(barred(more) === undefined).toBe(counts)
  expect(barred(more, null)).toBeUndefined()
})

it('keeps requests for changes, and the reason why somebody may not vote at all', () => {
  expect(barred({ verdict: 'request_changes' })).toBeUndefined()
  expect(barred({ barred: 'is disabled' })).toBe('is disabled')
})
