import type { StackKey } from '../stacks/stack.ts'
import type { Review } from './votes.ts'

export interface DroppedReview {
  review: Review
  /** Stacks whose plan is not the one that was approved. */
  stacks: StackKey[]
  /** True where the approval still holds for every stack of some environment: it is not to be dropped whole. */
  partly: boolean
  why: string
}

/**
 * Approvals that no longer hold for some current plan, with the stacks that changed under them. A stack that was
 * approved and is no longer affected takes nothing from an approval; one that appeared since does.
 */
export function droppedReviews(
  reviews: readonly Review[],
  currentDigests: { readonly [stackKey: StackKey]: string },
): DroppedReview[] {
  const current = Object.entries(currentDigests)
  return reviews.flatMap((review) => {
    if (review.verdict !== 'approve') return []
    const stacks = current.filter(([key, digest]) => review.digests[key] !== digest).map(([key]) => key)
    if (stacks.length === 0) return []
    const lost = new Set(stacks.map(environmentOf))
    const partly = current.some(([key]) => !lost.has(environmentOf(key)))
    return [{ review, stacks, partly, why: describe(review, stacks) }]
  })
}

/** An environment's name holds no slash; a stack's may. */
const environmentOf = (key: StackKey): string => key.slice(0, key.indexOf('/'))

function describe(review: Review, stacks: readonly StackKey[]): string {
  const appeared = stacks.filter((key) => !Object.hasOwn(review.digests, key))
  const changed = stacks.filter((key) => Object.hasOwn(review.digests, key))
  return [
    changed.length > 0 ? `the plan of ${changed.join(', ')} changed` : null,
    appeared.length > 0 ? `${appeared.join(', ')} joined the change` : null,
  ]
    .filter((part) => part !== null)
    .join('; ')
}
