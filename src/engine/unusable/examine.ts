import { asTrueupError } from '../../lib/errors/error.ts'
import type { GitRepository } from '../../git/repository.ts'
import type { Store } from '../../store/open.ts'
import { listRefs } from '../../store/changes/refs.ts'
import type { Repository } from '../../store/changes/repositories.ts'

const BRANCHES = 'refs/heads/'

/**
 * What is wrong with a repository's Git directory, or null. Looks at what everything else stands on: HEAD, the list of
 * branches, the default branch that was there, and whether the commits at the heads can be read. Its history is not read
 * (`git fsck` does that).
 */
export async function damageOf(store: Store, git: GitRepository, repository: Repository): Promise<string | null> {
  try {
    if (!(await git.exists())) return 'its directory or the HEAD in it is missing'
    const head = await git.defaultBranch()
    if (head === '' || /\s|\0/.test(head)) return 'its HEAD is empty or no reference'
    const actual = await git.refs(BRANCHES)
    const target = BRANCHES + repository.defaultBranch
    const seen = (await listRefs(store.db, repository.id)).find(({ name }) => name === target)
    if (seen && !actual.has(target)) return missingBranch(repository.defaultBranch, seen.oid)
    const tip = actual.get(target)
    if (tip !== undefined) await git.commit(tip)
    return null
  } catch (thrown) {
    return asTrueupError(thrown, `looking at repository "${repository.name}"`).text.why
  }
}

export const missingBranch = (branch: string, oid: string): string => `its branch ${branch}, last at ${oid}, is missing`
