import type { GitRepository } from '../../git/repository.ts'
import type { Queries } from '../../store/open.ts'
import { mergeResultNumber, RESULTS } from './merge-result.ts'

/** Requests that one look-up asks for. */
const PORTION = 200

/**
 * Drops the refs that keep the merge results of requests which were merged or closed before a time (milliseconds). No object
 * goes with them: what was previewed or deployed stays readable by its id, and a request that is opened again gets a new ref.
 * Answers how many there were.
 */
export async function dropMergeResults(
  db: Queries,
  git: Pick<GitRepository, 'refs' | 'deleteRef'>,
  { repositoryId, before, signal }: { repositoryId: string; before: number; signal?: AbortSignal },
): Promise<number> {
  const refs = [...(await git.refs(RESULTS))].flatMap(([name, oid]) => {
    const number = mergeResultNumber(name)
    return number === null ? [] : [{ name, oid, number }]
  })
  let dropped = 0
  for (let at = 0; at < refs.length && !signal?.aborted; at += PORTION) {
    const some = refs.slice(at, at + PORTION)
    const over = await db
      .selectFrom('mergeRequests')
      .select('number')
      .where('repositoryId', '=', repositoryId)
      .where(
        'number',
        'in',
        some.map(({ number }) => number),
      )
      .where('state', 'in', ['merged', 'closed'])
      .where('updatedAt', '<', before)
      .execute()
    const numbers = new Set(over.map(({ number }) => number))
    // Where it moved meanwhile somebody needs it again.
    for (const { name, oid, number } of some) if (numbers.has(number) && (await git.deleteRef(name, oid))) dropped++
  }
  return dropped
}
