import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RemoteApi, RemoteComment } from '../remote/api.ts'
import { type GiteaClient, personOf, Time, User } from './client.ts'

const Comment = z.object({ id: z.number().int(), user: User, body: z.string(), created_at: Time, updated_at: Time })

const commentOf = ({ id, user, body, created_at, updated_at }: z.infer<typeof Comment>): RemoteComment => ({
  id: String(id),
  person: personOf(user),
  body,
  createdAt: created_at,
  updatedAt: updated_at,
})

export function commentsOf(client: GiteaClient): Pick<RemoteApi, 'comments' | 'addComment' | 'editComment'> {
  return {
    async comments(number) {
      const doing = `reading the comments of pull request ${number}`
      const all = await client.pages(`${await client.at()}/issues/${number}/comments`, Comment, { doing })
      return all.map(commentOf)
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
