import { cut } from '../../domain/render/safe-text.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GiteaClient } from './client.ts'

/** Longest description that is shown whole. */
const MAX_DESCRIPTION = 255

export function statusesOf(client: GiteaClient): Pick<RemoteApi, 'setStatus'> {
  return {
    async setStatus(headOid, { name, state, description, url }) {
      const shown = cut(description, MAX_DESCRIPTION)
      const body = { context: name, state, description: shown, ...(url && { target_url: url }) }
      const ask = { doing: `setting status "${name}"`, method: 'POST', body } as const
      await client.ask(`${await client.at()}/statuses/${headOid}`, Anything, ask)
    },
  }
}
