import { z } from 'zod'
import type { RemoteApi, RemoteReview } from '../remote/api.ts'
import { type GitHubClient, PAGE, personOf, Time, User } from './client.ts'

const Review = z.object({
  id: z.number().int(),
  user: User.nullable(),
  body: z.string(),
  state: z.string(),
  /** Null where the commit is gone. */
  commit_id: z.string().nullable(),
  /** Absent while it is being written. */
  submitted_at: Time.optional(),
})

const VERDICTS: { readonly [state: string]: RemoteReview['verdict'] | null } = {
  APPROVED: 'approve',
  CHANGES_REQUESTED: 'request_changes',
  COMMENTED: 'comment',
  // It was a verdict, and what came before it does not count again.
  DISMISSED: null,
}

/** Of each person the last verdict counts, unless it was dismissed; what they only said stands beside it. */
export function reviewsOf(client: GitHubClient): Pick<RemoteApi, 'reviews'> {
  return {
    async reviews(number) {
      const path = `${await client.at()}/pulls/${number}/reviews?per_page=${PAGE}`
      const all = await client.pages(path, Review, { doing: `reading the reviews of pull request ${number}` })
      const said = all
        .flatMap(({ user, state, submitted_at, ...review }) => {
          const verdict = VERDICTS[state]
          return user && verdict !== undefined && submitted_at !== undefined
            ? [{ ...review, user, verdict, at: submitted_at }]
            : []
        })
        .sort((a, b) => a.at - b.at || a.id - b.id)
      const last = new Map(said.filter(({ verdict }) => verdict !== 'comment').map(({ user, id }) => [user.id, id]))
      return said.flatMap(({ id, user, verdict, body, commit_id, at }) =>
        verdict === null || commit_id === null || (verdict !== 'comment' && last.get(user.id) !== id)
          ? []
          : [{ id: String(id), person: personOf(user), verdict, headOid: commit_id, body, at }],
      )
    },
  }
}
