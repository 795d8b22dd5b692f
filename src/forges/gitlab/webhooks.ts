import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Adapter, RemoteApi } from '../remote/api.ts'
import { Anything, type GitLabClient, PAGE } from './client.ts'

const Hook = z.object({ id: z.number().int(), url: z.string() })
const EVENTS = { push_events: true, merge_requests_events: true, note_events: true }

export function webhooksOf(client: GitLabClient): Pick<RemoteApi, 'hook' | 'unhook'> {
  const path = `${client.at}/hooks`
  const remove = async (id: string): Promise<void> => {
    const ask = { doing: 'removing a webhook', method: 'DELETE' } as const
    await client.find(`${path}/${encodeURIComponent(id)}`, Anything, ask)
  }
  return {
    async hook(url, secret) {
      const there = await client.pages(`${path}?per_page=${PAGE}`, Hook, { doing: 'reading the webhooks' })
      for (const its of there) if (its.url === url) await remove(String(its.id))
      const body = { url, token: secret, enable_ssl_verification: url.startsWith('https:'), ...EVENTS }
      return String((await client.ask(path, Hook, { doing: 'making a webhook', method: 'POST', body })).id)
    },
    unhook: remove,
  }
}

/** GitLab sends the webhook's secret along; a repeated delivery has the same key. */
export const deliveryOf: Adapter['delivery'] = (headers) => {
  const id = headers['idempotency-key'] ?? headers['x-gitlab-event-uuid']
  const given = headers['x-gitlab-token']
  if (typeof id !== 'string' || typeof given !== 'string' || id.length > 100) return null
  // Digests, so that both are of one length.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return { id, isOf: (secret) => timingSafeEqual(digest(secret), digest(given)) }
}
