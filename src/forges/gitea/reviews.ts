import { z } from 'zod'
import type { RemoteApi, RemoteReview } from '../remote/api.ts'
import { type GiteaClient, personOf, Time, User } from './client.ts'

const Review = z.object({
  id: z.number().int(),
  /** Null of a team that is asked for a review. */
  user: User.nullish(),
  state: z.string(),
  body: z.string(),
  commit_id: z.string(),
  dismissed: z.boolean().optional(),
  submitted_at: Time,
})

const VERDICTS: { readonly [state: string]: RemoteReview['verdict'] } = {
  APPROVED: 'approve',
  REQUEST_CHANGES: 'request_changes',
  COMMENT: 'comment',
}

/** Of each person the last verdict counts, unless it was dismissed; what they only said stands beside it. */
export function reviewsOf(client: GiteaClient): Pick<RemoteApi, 'reviews'> {
  return {
    async reviews(number) {
      const path = `${await client.at()}/pulls/${number}/reviews?limit=50`
      const all = await client.pages(path, Review, { doing: `reading the reviews of pull request ${number}` })
      const said = all
        .flatMap(({ user, state, ...review }) => {
          const verdict = VERDICTS[state]
          return user && verdict ? [{ ...review, user, verdict }] : []
        })
        .sort((a, b) => a.id - b.id)
      const last = new Map(said.filter(({ verdict }) => verdict !== 'comment').map(({ user, id }) => [user.id, id]))
      return said
        .filter(({ id, user, verdict, dismissed }) => verdict === 'comment' || (!dismissed && last.get(user.id) === id))
        .map(({ id, user, verdict, body, commit_id, submitted_at }) => ({
          id: String(id),
          person: personOf(user),
          verdict,
          headOid: commit_id,
          body,
          at: submitted_at,
        }))
    },
  }
}
