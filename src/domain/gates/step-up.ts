import { formatDuration } from '../duration.ts'
import type { Review } from './votes.ts'

/** Whether a second factor that was proven then still counts at a moment. */
export const isFresh = (provenAt: number | null | undefined, at: number, withinMs: number): boolean =>
  typeof provenAt === 'number' && at - provenAt <= withinMs

/**
 * The reviews as an environment takes them that asks for a second factor: an approval of somebody who had not proven it shortly
 * before does not count, wherever it was given. Requests for changes do.
 */
export function withStepUp(reviews: readonly Review[], withinMs: number | null): readonly Review[] {
  if (withinMs === null) return reviews
  const barred = `had not proven the second factor in the ${formatDuration(withinMs)} before`
  return reviews.map((review) =>
    review.verdict !== 'approve' || isFresh(review.provenAt, review.at, withinMs) ? review : { barred, ...review },
  )
}
