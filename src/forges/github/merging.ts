import { z } from 'zod'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Outcome, retry } from '../../lib/retry.ts'
import type { MergeMethod } from '../capabilities.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GitHubClient } from './client.ts'

/** GitHub has none that only moves the branch. */
const METHODS: { readonly [method in Exclude<MergeMethod, 'fast-forward'>]: string } = {
  merge: 'merge',
  squash: 'squash',
  rebase: 'rebase',
}

/** Null while GitHub looks in the background whether it can be merged. */
const Mergeable = z.object({ mergeable: z.boolean().nullable() })
const LOOKING = { pauses: { first: 300, longest: 4_000 }, attempts: 10 }

export function mergingOf(client: GitHubClient): Pick<RemoteApi, 'merge'> {
  return {
    async merge(number, { headOid, method, title, message }) {
      const doing = `merging pull request ${number}`
      if (method === 'fast-forward')
        throw new TrueupError('FORGE_CANNOT', { doing, why: 'GitHub does not fast-forward' })
      const path = `${await client.at()}/pulls/${number}`
      await retry(() => client.ask(path, Mergeable, { doing }), {
        ...LOOKING,
        again: (outcome) => outcome.ok && outcome.value.mergeable === null,
      })
      const body = { sha: headOid, merge_method: METHODS[method], commit_title: title, commit_message: message }
      const merge = () => client.ask(`${path}/merge`, Anything, { doing, method: 'PUT', body })
      await retry(merge, { ...LOOKING, again: isOvertaken })
    },
  }
}

/** "Base branch was modified. Review and try the merge again.": another one was merged at this moment; the head is compared. */
const isOvertaken = (outcome: Outcome<unknown>): boolean =>
  !outcome.ok && outcome.thrown instanceof TrueupError && /base branch was modified/i.test(outcome.thrown.text.why)
