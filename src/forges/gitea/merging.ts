import { TrueupError } from '../../lib/errors/error.ts'
import { type Outcome, retry } from '../../lib/retry.ts'
import type { MergeMethod } from '../capabilities.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GiteaClient } from './client.ts'

const STYLES: { readonly [method in MergeMethod]: string } = {
  merge: 'merge',
  squash: 'squash',
  rebase: 'rebase',
  'fast-forward': 'fast-forward-only',
}

/** After each push to either branch Gitea looks in the background whether it can be merged, and refuses meanwhile. */
const LOOKING = { pauses: { first: 300, longest: 4_000 }, attempts: 10 }

export function mergingOf(client: GiteaClient): Pick<RemoteApi, 'merge'> {
  return {
    async merge(number, { headOid, method, title, message }) {
      const body = {
        Do: STYLES[method],
        head_commit_id: headOid,
        MergeTitleField: title,
        MergeMessageField: message,
        delete_branch_after_merge: false,
      }
      const ask = { doing: `merging pull request ${number}`, method: 'POST', body } as const
      const path = `${await client.at()}/pulls/${number}/merge`
      try {
        await retry(() => client.ask(path, Anything, ask), { ...LOOKING, again: isLooking })
      } catch (error) {
        if (!isRefusal(error, /not allowed to merge/i)) throw error
        throw new TrueupError('FORGE_PERMISSION', { ...error.text, cause: error })
      }
    },
  }
}

const isLooking = (outcome: Outcome<unknown>): boolean => !outcome.ok && isRefusal(outcome.thrown, /try again later/i)

const isRefusal = (thrown: unknown, words: RegExp): thrown is TrueupError =>
  thrown instanceof TrueupError && thrown.code === 'FORGE_REFUSED' && words.test(thrown.text.why)
