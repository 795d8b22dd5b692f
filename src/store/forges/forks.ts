import type { Queries } from '../database/context.ts'
import { getMeta, setMeta } from '../database/meta.ts'
import { findPost, putPost } from './posts.ts'

/** Where the heads of merge requests from forks are kept among the branches of the mirror. Nobody pushes there. */
export const FORK_BRANCHES = 'trueup-forks/'
export const forkBranch = (number: number): string => `${FORK_BRANCHES}${number}`
export const isForkBranch = (branch: string): boolean => branch.startsWith(FORK_BRANCHES)

/** Number of a merge request from a fork → the head that it has, and since when that is known, by the forge's clock. */
export type ForkHeads = { readonly [number: string]: { headOid: string; since: number } }

const key = (repositoryId: string): string => `forge.forks:${repositoryId}`

export async function forkHeads(db: Queries, repositoryId: string): Promise<ForkHeads> {
  const text = await getMeta(db, key(repositoryId))
  return text === null ? {} : (JSON.parse(text) as ForkHeads)
}

export const setForkHeads = (tx: Queries, repositoryId: string, heads: ForkHeads): Promise<void> =>
  setMeta(tx, key(repositoryId), JSON.stringify(heads))

const vouched = (headOid: string): string => `vouched:${headOid}`

/** A maintainer has said that this head of a fork may be planned. */
export const vouchFor = (tx: Queries, mrId: string, headOid: string): Promise<void> =>
  putPost(tx, { mrId, name: vouched(headOid), remoteId: null, digest: '', state: null })

export const isVouched = async (db: Queries, mrId: string, headOid: string): Promise<boolean> =>
  (await findPost(db, mrId, vouched(headOid))) !== undefined
