import type { GitRepository, Person } from '../../git/repository.ts'
import { EMPTY_TREE } from '../../git/repository.ts'
import { TrueupError } from '../../lib/errors/error.ts'

/**
 * Tree of `head` with what `bad` changed against `before` (null: nothing) taken back: a three-way merge whose base is `bad`,
 * so that what came after it stays. MR_CONFLICT where later changes touch the same lines.
 */
export async function revertTree(
  git: GitRepository,
  head: string,
  { bad, before }: { bad: string; before: string | null },
): Promise<string> {
  const badCommit = await git.commit(bad)
  const headTree = (await git.commit(head)).tree
  const parentTree = before === null ? EMPTY_TREE : (await git.commit(before)).tree
  // Git finds the merge base by history, so a little history with the wanted base is made up.
  const author: Person = { name: 'trueup', email: 'trueup@trueup.invalid', at: badCommit.committer.at }
  const made = (tree: string, parents: string[]): Promise<string> =>
    git.commitTree({ tree, parents, message: 'revert helper\n', author })
  const base = await made(badCommit.tree, [])
  const [ours, theirs] = [await made(headTree, [base]), await made(parentTree, [base])]
  const merged = await git.mergeTree(ours, theirs)
  if (merged.clean) return merged.tree
  throw new TrueupError('MR_CONFLICT', {
    doing: `reverting commit ${bad.slice(0, 10)}`,
    why: `later commits changed the same lines of ${merged.conflicts.slice(0, 5).join(', ')}`,
    next: 'Roll back single stacks instead (trueup rollback --stack), or write the revert by hand as an ordinary merge request.',
  })
}
