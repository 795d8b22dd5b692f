import type { MergeMethod } from '../capabilities.ts'
import type { RemoteApi } from '../remote/api.ts'
import { Anything, type GiteaClient } from './client.ts'

const STYLES: { readonly [method in MergeMethod]: string } = {
  merge: 'merge',
  squash: 'squash',
  rebase: 'rebase',
  'fast-forward': 'fast-forward-only',
}

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
      await client.ask(`${await client.at()}/pulls/${number}/merge`, Anything, ask)
    },
  }
}
