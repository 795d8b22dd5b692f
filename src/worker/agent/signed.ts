import type { GitRepository } from '../../git/repository.ts'
import type { TreeView } from '../../git/tree-view.ts'
import { REFUSED } from '../../domain/signatures/refusals.ts'
import { BRANCH_TRAILER, REPOSITORY_TRAILER } from '../../domain/wire/signed-target.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RepositoryConfig, SignersConfig } from './config.ts'

/** Answers with who signed a commit, as people know them. Throws why the signature does not do. */
export async function assertSigned(
  repository: GitRepository,
  commit: string,
  signers: SignersConfig,
  asOf: 'now' | 'commit',
): Promise<string> {
  const { gpgKeys, ...files } = signers
  const found = await repository.signature(commit, files, asOf)
  const doing = `checking the signature of commit ${commit}`
  if (found.status !== 'good') {
    const { code, why } = REFUSED[found.status]
    throw new TrueupError(code, { doing, why: 'key' in found && found.key ? `${why} (${found.key})` : why })
  }
  if (found.format === 'gpg' && !gpgKeys.includes(found.key)) {
    const { code, why } = REFUSED.unknown
    throw new TrueupError(code, { doing, why: `${why} (${found.key})` })
  }
  return `${found.signer} (${found.key})`
}

/** What a signed commit says of where it belongs has to be here. */
export async function assertTarget(
  repository: GitRepository,
  commit: string,
  here: { repository: string } & Pick<RepositoryConfig, 'branch' | 'target'>,
): Promise<void> {
  const doing = `reading for which branch commit ${commit} was signed`
  const rules = [
    { trailer: REPOSITORY_TRAILER, wanted: here.repository, code: 'COMMIT_OTHER_REPOSITORY' },
    { trailer: BRANCH_TRAILER, wanted: here.branch, code: 'COMMIT_OTHER_BRANCH' },
  ] as const
  for (const { trailer, wanted, code } of rules) {
    const named = await repository.trailers(commit, trailer)
    if (named.length === 0 && here.target === 'where-named') continue
    if (named.length === 1 && named[0] === wanted) continue
    const why =
      named.length === 0 ? `its message has no ${trailer}` : `it was signed for ${named.join(', ')}, not ${wanted}`
    throw new TrueupError(code, { doing, why })
  }
}

/**
 * One of `signers` has signed the branch that the commit merges, and each of these paths is what that branch holds, or what
 * was accepted before. So a forge's key alone brings nothing in that none of them has seen.
 */
export async function assertAuthored(
  repository: GitRepository,
  commit: string,
  {
    signers,
    paths,
    viewOf,
    before,
  }: {
    signers: SignersConfig
    paths: readonly string[]
    viewOf: (commit: string) => Promise<TreeView>
    /** A commit that was accepted before. */
    before: string | undefined
  },
): Promise<string> {
  const doing = `checking who wrote what commit ${commit} brings`
  const [, merged] = (await repository.commit(commit)).parents
  // A commit that is no merge is its author's own.
  const own = merged ?? commit
  const author = await assertSigned(repository, own, signers, 'now')
  if (own === commit) return author
  const [here, branch] = [await viewOf(commit), await viewOf(own)]
  const accepted = before === undefined ? undefined : await viewOf(before)
  for (const path of paths) {
    const oid = (await here.entry(path))?.oid
    if (oid === (await branch.entry(path))?.oid) continue
    if (accepted && oid === (await accepted.entry(path))?.oid) continue
    const why = `"${path}" is neither what ${author} signed nor what was accepted before: the target branch has moved`
    throw new TrueupError('CONTENT_UNSIGNED', { doing, why })
  }
  return author
}
