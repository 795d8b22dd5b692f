import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import type { Sign } from '../forge.ts'
import type { RemoteApi, RemoteComment } from '../remote/api.ts'
import { Anything, type GitLabClient, PAGE, personOf, Time, User } from './client.ts'
import { quiet } from './quiet.ts'

export const Note = z.object({
  id: z.number().int(),
  /** `DiffNote`: of a line. */
  type: z.string().nullish(),
  system: z.boolean(),
  author: User,
  body: z.string(),
  created_at: Time,
  updated_at: Time,
})

const commentOf = ({ id, author, body, created_at, updated_at }: z.infer<typeof Note>): RemoteComment => ({
  id: String(id),
  person: personOf(author),
  body,
  createdAt: created_at,
  updatedAt: updated_at,
})

const SIGNS: { readonly [sign in Sign]: string } = { taken: 'eyes', refused: 'thumbsdown' }

type Talk = Pick<RemoteApi, 'comments' | 'commentsSince' | 'addComment' | 'editComment' | 'signComment'>

export function commentsOf(client: GitLabClient): Talk {
  const of = (number: number): string => `${client.at}/merge_requests/${number}/notes`
  const one = (number: number, id: string): string => `${of(number)}/${encodeURIComponent(id)}`
  return {
    async comments(number) {
      const path = `${of(number)}?sort=asc&order_by=created_at&per_page=${PAGE}`
      const notes = await client.pages(path, Note, { doing: `reading the comments of merge request ${number}` })
      return notes.filter(({ system }) => !system).map(commentOf)
    },
    async commentsSince(since) {
      const at = encodeURIComponent(new Date(since).toISOString())
      const order = 'state=all&scope=all&order_by=updated_at&sort=asc'
      const path = `${client.at}/merge_requests?${order}&updated_after=${at}&per_page=${PAGE}`
      const doing = 'looking for new comments'
      const said: { number: number; comment: RemoteComment }[] = []
      for (const { iid } of await client.pages(path, z.object({ iid: z.number().int() }), { doing }))
        for (const note of await newest(iid, since, doing))
          if (!note.system && note.type !== 'DiffNote') said.push({ number: iid, comment: commentOf(note) })
      return said.sort((a, b) => a.comment.createdAt - b.comment.createdAt)
    },
    async addComment(number, body) {
      const ask = {
        doing: `commenting on merge request ${number}`,
        method: 'POST',
        body: { body: quiet(body) },
      } as const
      return commentOf(await client.ask(of(number), Note, ask))
    },
    async editComment(number, id, body) {
      const ask = {
        doing: `editing a comment of merge request ${number}`,
        method: 'PUT',
        body: { body: quiet(body) },
      } as const
      // What somebody has deleted is written anew.
      const edited = await client.find(one(number, id), Note, ask)
      return edited && commentOf(edited)
    },
    async signComment(number, id, sign) {
      const doing = 'reacting to a comment'
      if ((await client.find(one(number, id), Anything, { doing })) === null) return false
      const ask = { doing, method: 'POST', body: { name: SIGNS[sign] } } as const
      // The same sign twice is answered as not found, or refused.
      await client.find(`${one(number, id)}/award_emoji`, Anything, ask).catch((error: unknown) => {
        if (!(error instanceof TrueupError && error.code === 'FORGE_REFUSED')) throw error
      })
      return true
    },
  }

  /** Page by page until they are older. */
  async function newest(number: number, since: number, doing: string): Promise<z.infer<typeof Note>[]> {
    const path = `${of(number)}?sort=desc&order_by=updated_at&per_page=${PAGE}`
    const found: z.infer<typeof Note>[] = []
    for (let page = 1; page <= MAX_NOTE_PAGES; page++) {
      const notes = await client.ask(`${path}&page=${page}`, z.array(Note), { doing })
      const young = notes.filter(({ updated_at }) => updated_at >= since)
      found.push(...young)
      if (notes.length === 0 || young.length < notes.length) break
    }
    return found
  }
}

const MAX_NOTE_PAGES = 50
