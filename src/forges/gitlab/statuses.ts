import { cut } from '../../domain/render/safe-text.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { CommitStatus } from '../forge.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GitLabClient } from './client.ts'

/** Longest description that is taken. */
const MAX_DESCRIPTION = 255
const STATES: { readonly [state in CommitStatus['state']]: string } = {
  pending: 'pending',
  success: 'success',
  failure: 'failed',
}

/** External jobs of the pipeline of a commit. One that waits cannot begin to wait anew: it is ended, and another takes its place. */
export function statusesOf(client: GitLabClient): Pick<RemoteApi, 'setStatus'> {
  return {
    async setStatus(headOid, { name, state, description, url, pipeline }) {
      const set = async (to: string): Promise<unknown> => {
        const body = {
          name,
          state: to,
          description: cut(description, MAX_DESCRIPTION),
          ...(url && { target_url: url }),
          ...(pipeline !== undefined && { pipeline_id: Number(pipeline) }),
        }
        const ask = { doing: `setting status "${name}"`, method: 'POST', body } as const
        return await client.ask(`${client.at}/statuses/${headOid}`, Anything, ask)
      }
      try {
        await set(STATES[state])
      } catch (error) {
        if (!(error instanceof TrueupError && /Cannot transition status/i.test(error.text.why))) throw error
        await set('canceled')
        await set(STATES[state])
      }
    },
  }
}
