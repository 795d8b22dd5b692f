import { z } from 'zod'
import type { Sign } from '../forge.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RemoteApi, RemoteComment } from '../remote/api.ts'
import { Anything, type GiteaClient, personOf, Time, User } from './client.ts'

const Comment = z.object({ id: z.number().int(), user: User, body: z.string(), created_at: Time, updated_at: Time })

const commentOf = ({ id, user, body, created_at, updated_at }: z.infer<typeof Comment>): RemoteComment => ({
  id: String(id),
  person: personOf(user),
  body,
  createdAt: created_at,
  updatedAt: updated_at,
})

/** Of a comment on an issue this is empty. */
const SaidSomewhere = Comment.extend({ pull_request_url: z.string().nullish() })
const SIGNS: { readonly [sign in Sign]: string } = { taken: 'eyes', refused: '-1' }

type Talk = Pick<RemoteApi, 'comments' | 'commentsSince' | 'addComment' | 'editComment' | 'signComment'>

export function commentsOf(client: GiteaClient): Talk {
  return {
    async comments(number) {
      const doing = `reading the comments of pull request ${number}`
      const all = await client.pages(`${await client.at()}/issues/${number}/comments`, Comment, { doing })
      return all.map(commentOf)
    },
    async commentsSince(since) {
      const at = encodeURIComponent(new Date(since).toISOString())
      const path = `${await client.at()}/issues/comments?since=${at}&limit=50`
      const all = await client.pages(path, SaidSomewhere, { doing: 'reading new comments' })
      return all.flatMap(({ pull_request_url, ...comment }) => {
        const number = Number(/\/(\d+)$/.exec(pull_request_url ?? '')?.[1])
        return number > 0 ? [{ number, comment: commentOf(comment) }] : []
      })
    },
    async signComment(_number, id, sign) {
      const path = `${await client.at()}/issues/comments/${encodeURIComponent(id)}/reactions`
      const ask = { doing: 'reacting to a comment', method: 'POST', body: { content: SIGNS[sign] } } as const
      return (await client.find(path, Anything, ask)) !== null
    },
    async addComment(number, body) {
      const ask = { doing: `commenting on pull request ${number}`, method: 'POST', body: { body } } as const
      return commentOf(await client.ask(`${await client.at()}/issues/${number}/comments`, Comment, ask))
    },
    async editComment(number, id, body) {
      const ask = { doing: `editing a comment of pull request ${number}`, method: 'PATCH', body: { body } } as const
      try {
        return commentOf(
          await client.ask(`${await client.at()}/issues/comments/${encodeURIComponent(id)}`, Comment, ask),
        )
      } catch (error) {
        // What somebody has deleted is written anew.
        if (error instanceof TrueupError && error.code === 'FORGE_GONE') return null
        throw error
      }
    },
  }
}
