import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { retry } from '../../lib/retry.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GitLabClient } from './client.ts'

const Mergeable = z.object({ detailed_merge_status: z.string() })
/** GitLab looks in the background whether it can be merged, and refuses meanwhile. */
const LOOKING = new Set(['checking', 'unchecked', 'preparing', 'approvals_syncing'])
const PAUSES = { first: 200, longest: 2_000 }
const ATTEMPTS = 8

export function mergingOf(client: GitLabClient): Pick<RemoteApi, 'merge'> {
  return {
    async merge(number, { headOid, method, title, message }) {
      const doing = `merging merge request ${number}`
      const path = `${client.at}/merge_requests/${number}`
      await retry(() => client.ask(path, Mergeable, { doing }), {
        pauses: PAUSES,
        attempts: ATTEMPTS,
        again: (outcome) => outcome.ok && LOOKING.has(outcome.value.detailed_merge_status),
      })
      const text = `${title}\n\n${message}`
      const squash = method === 'squash'
      const body = {
        sha: headOid,
        squash,
        should_remove_source_branch: false,
        merge_commit_message: text,
        ...(squash && { squash_commit_message: text }),
      }
      try {
        await client.ask(`${path}/merge`, Anything, { doing, method: 'PUT', body })
      } catch (error) {
        // Told to who may not merge, with a token that is good for everything else.
        if (!(error instanceof TrueupError && error.code === 'FORGE_TOKEN')) throw error
        throw new TrueupError('FORGE_PERMISSION', { ...error.text, cause: error })
      }
    },
  }
}
