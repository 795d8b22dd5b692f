import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Adapter, RemoteApi } from '../remote/api.ts'
import { Anything, type GitHubClient, PAGE } from './client.ts'

const Hook = z.object({ id: z.number().int(), config: z.object({ url: z.string().optional() }) })
const EVENTS = [
  'push',
  'create',
  'delete',
  'pull_request',
  'pull_request_review',
  'issue_comment',
  'repository',
  'merge_group',
]

export function webhooksOf(client: GitHubClient): Pick<RemoteApi, 'hook' | 'unhook'> {
  const remove = async (id: string): Promise<void> => {
    const ask = { doing: 'removing a webhook', method: 'DELETE' } as const
    await client.find(`${await client.at()}/hooks/${encodeURIComponent(id)}`, Anything, ask)
  }
  return {
    async hook(url, secret) {
      const path = `${await client.at()}/hooks`
      const there = await client.pages(`${path}?per_page=${PAGE}`, Hook, { doing: 'reading the webhooks' })
      for (const { id, config } of there) if (config.url === url) await remove(String(id))
      const config = { url, content_type: 'json', secret, insecure_ssl: '0' }
      const body = { name: 'web', active: true, events: EVENTS, config }
      return String((await client.ask(path, Hook, { doing: 'making a webhook', method: 'POST', body })).id)
    },
    unhook: remove,
  }
}

/** GitHub signs the body: `sha256=` and the hexadecimal HMAC-SHA-256, keyed with the webhook's secret. */
export const deliveryOf: Adapter['delivery'] = (headers, body) => {
  const id = headers['x-github-delivery']
  const signature = headers['x-hub-signature-256']
  if (typeof id !== 'string' || typeof signature !== 'string' || id.length > 100) return null
  return {
    id,
    isOf(secret) {
      const wanted = createHmac('sha256', secret).update(body).digest()
      const given = Buffer.from(/^sha256=([0-9a-f]{64})$/.exec(signature)?.[1] ?? '', 'hex')
      return given.length === wanted.length && timingSafeEqual(given, wanted)
    },
  }
}
