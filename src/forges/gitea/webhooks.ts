import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Adapter, RemoteApi } from '../remote/api.ts'
import { Anything, type GiteaClient } from './client.ts'

const Hook = z.object({ id: z.number().int(), config: z.record(z.string(), z.unknown()) })
const EVENTS = [
  'push',
  'create',
  'delete',
  'pull_request',
  'pull_request_sync',
  'pull_request_review',
  'pull_request_comment',
  'issue_comment',
  'repository',
]

export function webhooksOf(client: GiteaClient): Pick<RemoteApi, 'hook' | 'unhook'> {
  const remove = async (id: string): Promise<void> => {
    const ask = { doing: 'removing a webhook', method: 'DELETE' } as const
    await client.find(`${await client.at()}/hooks/${encodeURIComponent(id)}`, Anything, ask)
  }
  return {
    async hook(url, secret) {
      const path = `${await client.at()}/hooks`
      const there = await client.pages(`${path}?limit=50`, Hook, { doing: 'reading the webhooks' })
      for (const { id, config } of there) if (config['url'] === url) await remove(String(id))
      const config = { url, content_type: 'json', secret }
      const body = { type: 'gitea', active: true, branch_filter: '*', events: EVENTS, config }
      return String((await client.ask(path, Hook, { doing: 'making a webhook', method: 'POST', body })).id)
    },
    unhook: remove,
  }
}

/** Gitea and Forgejo sign the body: hexadecimal HMAC-SHA-256, keyed with the webhook's secret. */
export const deliveryOf: Adapter['delivery'] = (headers, body) => {
  const id = headers['x-gitea-delivery'] ?? headers['x-forgejo-delivery']
  const signature = headers['x-gitea-signature'] ?? headers['x-forgejo-signature']
  if (typeof id !== 'string' || typeof signature !== 'string' || id.length > 100) return null
  return {
    id,
    isOf(secret) {
      const wanted = createHmac('sha256', secret).update(body).digest()
      const given = Buffer.from(signature, 'hex')
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    },
  }
}
