import { cut } from '../../domain/render/safe-text.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GitHubClient } from './client.ts'

/** Longest description that is taken. */
const MAX_DESCRIPTION = 140

/** Commit statuses, which may be required like check runs, and which a token of an account may set as well as an App. */
export function statusesOf(client: GitHubClient): Pick<RemoteApi, 'setStatus'> {
  return {
    async setStatus(headOid, { name, state, description, url }) {
      const shown = cut(description, MAX_DESCRIPTION)
      const body = { context: name, state, description: shown, ...(url && { target_url: url }) }
      const ask = { doing: `setting status "${name}"`, method: 'POST', body } as const
      await client.ask(`${await client.at()}/statuses/${headOid}`, Anything, ask)
    },
  }
}
