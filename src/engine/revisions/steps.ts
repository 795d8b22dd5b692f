import { type EngineParts, repositoryOf } from '../parts.ts'

/** First-parent steps of the default branch that are enacted one by one; a longer gap is enacted as one. */
const MAX_STEPS = 200

/** Commits of the default branch that are still to be enacted, oldest first. */
export async function stepsBetween(
  parts: EngineParts,
  repositoryId: string,
  cursor: string | null,
  head: string,
): Promise<string[]> {
  if (cursor === head) return []
  const git = repositoryOf(parts, repositoryId)
  // The first commit of a repository, or a branch that was put elsewhere by hand: only where it stands now matters.
  if (cursor === null || !(await git.isAncestor(cursor, head))) return [head]
  const commits = await git.log({ from: cursor, to: head, limit: MAX_STEPS + 1, firstParent: true })
  return commits.length > MAX_STEPS ? [head] : commits.map((commit) => commit.oid).reverse()
}
