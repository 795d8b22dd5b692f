import type { GitRepository } from '../../git/repository.ts'
import { NO_OID } from '../../git/repository.ts'

export type MergeResultCommit =
  | { clean: true; commitOid: string; treeOid: string }
  | { clean: false; conflicts: string[] }

/** Where these refs are. */
export const RESULTS = 'refs/trueup/mr/'

/** Ref that keeps the merge result of an open MR from being collected. */
export const mergeResultRef = (number: number): string => `${RESULTS}${number}/merge`

/** The number of the MR whose result a ref keeps; null for any other ref. */
export function mergeResultNumber(ref: string): number | null {
  const [, number] = /^refs\/trueup\/mr\/(\d+)\/merge$/.exec(ref) ?? []
  return number === undefined ? null : Number(number)
}

/** The latest result of each MR: most looks at an MR come when neither branch has moved. */
const latest = new WeakMap<GitRepository, Map<number, { heads: string; result: MergeResultCommit & { clean: true } }>>()
const KEPT = 1_000

/**
 * What the target would be after the merge, as a commit that runs can name. Its time is the head's, so that the same
 * heads give the same commit.
 */
export async function mergeResult(
  repository: GitRepository,
  number: number,
  targetOid: string,
  headOid: string,
): Promise<MergeResultCommit> {
  const heads = `${targetOid} ${headOid}`
  const ref = mergeResultRef(number)
  const known = latest.get(repository)?.get(number)
  if (known?.heads === heads && (await repository.resolve(ref)) === known.result.commitOid) return known.result
  const merged = await repository.mergeTree(targetOid, headOid)
  if (!merged.clean) return merged
  const head = await repository.commit(headOid)
  const author = { name: 'trueup', email: 'trueup@trueup.invalid', at: head.committer.at }
  const commitOid = await repository.commitTree({
    tree: merged.tree,
    parents: [targetOid, headOid],
    message: `Result of merging !${number}\n`,
    author,
  })
  const now = (await repository.resolve(ref)) ?? NO_OID
  // A lost race means that a newer preview has put a newer result there; this one's is then of no use anyway.
  if (now !== commitOid) await repository.updateRef(ref, commitOid, now)
  const result = { clean: true as const, commitOid, treeOid: merged.tree }
  const results = latest.get(repository) ?? new Map()
  latest.set(repository, results)
  if (results.size >= KEPT) results.clear()
  results.set(number, { heads, result })
  return result
}
