import { z } from 'zod'
import type { RemoteApi, RemoteReview } from '../remote/api.ts'
import { type GitLabClient, PAGE, personOf, Time, User } from './client.ts'
import { Note } from './comments.ts'

const Approvals = z.object({
  approved_by: z.array(z.object({ user: User, approved_at: Time.nullish() })),
})
const Reviewer = z.object({ user: User, state: z.string(), created_at: Time })
const Version = z.object({ head_commit_sha: z.string(), created_at: Time })

/**
 * GitLab says who approves now, but not of which head: that is the newest version of the merge request that was there at the
 * time. Before GitLab 18.4 the time itself stands only in what GitLab notes of the approval.
 */
export function reviewsOf(client: GitLabClient): Pick<RemoteApi, 'reviews'> {
  return {
    async reviews(number) {
      const at = `${client.at}/merge_requests/${number}`
      const doing = `reading the reviews of merge request ${number}`
      const { approved_by } = await client.ask(`${at}/approvals`, Approvals, { doing })
      const reviewers = (await client.ask(`${at}/reviewers`, z.array(Reviewer), { doing })).filter(
        ({ state }) => state === 'requested_changes' || state === 'reviewed',
      )
      if (approved_by.length + reviewers.length === 0) return []
      const versions = await client.pages(`${at}/versions?per_page=${PAGE}`, Version, { doing })
      const needsNotes = approved_by.some((its) => !its.approved_at) || reviewers.length > 0
      const path = `${at}/notes?sort=asc&order_by=created_at&per_page=${PAGE}`
      const notes = needsNotes ? (await client.pages(path, Note, { doing })).filter(({ system }) => system) : []
      const noted = (user: z.infer<typeof User>, what: RegExp) =>
        notes.findLast(({ author, body }) => author.id === user.id && what.test(body))?.created_at
      const headAt = (time: number): string | undefined =>
        versions.toSorted((a, b) => b.created_at - a.created_at).find(({ created_at }) => created_at <= time)
          ?.head_commit_sha
      const review = (user: z.infer<typeof User>, verdict: RemoteReview['verdict'], time: number): RemoteReview[] => {
        const headOid = headAt(time)
        const id = `${verdict}-${user.id}-${time}`
        return headOid === undefined ? [] : [{ id, person: personOf(user), verdict, headOid, body: '', at: time }]
      }
      return [
        ...approved_by.flatMap(({ user, approved_at }) => {
          const time = approved_at ?? noted(user, /^approved this merge request/)
          return time === undefined ? [] : review(user, 'approve', time)
        }),
        ...reviewers.flatMap(({ user, state, created_at }) =>
          state === 'reviewed'
            ? review(
                user,
                'comment',
                noted(user, /^(?:reviewed|left review comments)/) ?? newestOf(versions) ?? created_at,
              )
            : review(user, 'request_changes', noted(user, /^requested changes/) ?? newestOf(versions) ?? created_at),
        ),
      ].sort((a, b) => a.at - b.at)
    },
  }
}

/** Where GitLab has noted no time: whoever asks for changes does so of what is there. */
const newestOf = (versions: readonly z.infer<typeof Version>[]): number | undefined =>
  versions.length === 0 ? undefined : Math.max(...versions.map(({ created_at }) => created_at))
