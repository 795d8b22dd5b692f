import { z } from 'zod'
import type { Sign } from '../forge.ts'
import type { RemoteApi, RemoteComment } from '../remote/api.ts'
import { Anything, type GitHubClient, GHOST, PAGE, personOf, Time, User } from './client.ts'

const Comment = z.object({
  id: z.number().int(),
  user: User.nullable(),
  body: z.string().optional(),
  created_at: Time,
  updated_at: Time,
  /** `…/issues/12`, also of a pull request. */
  issue_url: z.string(),
  /** `…/pull/12#issuecomment-…`, or `…/issues/…` where it is on an issue. */
  html_url: z.string(),
})

const commentOf = ({ id, user, body, created_at, updated_at }: z.infer<typeof Comment>): RemoteComment => ({
  id: String(id),
  person: user ? personOf(user) : GHOST,
  body: body ?? '',
  createdAt: created_at,
  updatedAt: updated_at,
})

const SIGNS: { readonly [sign in Sign]: string } = { taken: 'eyes', refused: '-1' }

type Talk = Pick<RemoteApi, 'comments' | 'commentsSince' | 'addComment' | 'editComment' | 'signComment'>

export function commentsOf(client: GitHubClient): Talk {
  const all = async (): Promise<string> => `${await client.at()}/issues/comments`
  const one = async (id: string): Promise<string> => `${await all()}/${encodeURIComponent(id)}`
  const of = async (number: number): Promise<string> => `${await client.at()}/issues/${number}/comments`
  return {
    async comments(number) {
      const doing = `reading the comments of pull request ${number}`
      return (await client.pages(`${await of(number)}?per_page=${PAGE}`, Comment, { doing })).map(commentOf)
    },
    async commentsSince(since) {
      const at = encodeURIComponent(new Date(since).toISOString())
      const path = `${await all()}?since=${at}&sort=created&direction=asc&per_page=${PAGE}`
      const found = await client.pages(path, Comment, { doing: 'reading new comments' })
      return found.flatMap((comment) => {
        const number = Number(/\/(\d+)$/.exec(comment.issue_url)?.[1])
        return /\/pull\/\d+(?:#|$)/.test(comment.html_url) ? [{ number, comment: commentOf(comment) }] : []
      })
    },
    async signComment(_number, id, sign) {
      const ask = { doing: 'reacting to a comment', method: 'POST', body: { content: SIGNS[sign] } } as const
      return (await client.find(`${await one(id)}/reactions`, Anything, ask)) !== null
    },
    async addComment(number, body) {
      const ask = { doing: `commenting on pull request ${number}`, method: 'POST', body: { body } } as const
      return commentOf(await client.ask(await of(number), Comment, ask))
    },
    async editComment(number, id, body) {
      const ask = { doing: `editing a comment of pull request ${number}`, method: 'PATCH', body: { body } } as const
      // What somebody has deleted is written anew.
      const edited = await client.find(await one(id), Comment, ask)
      return edited && commentOf(edited)
    },
  }
}
