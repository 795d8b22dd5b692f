import { type CodeOwners, ownerGroupsOf } from '../../domain/gates/code-owners.ts'
import type { GateFacts } from '../../domain/gates/facts.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import { type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { pushersOf } from '../../store/changes/refs.ts'
import type { Review } from '../../store/changes/reviews.ts'
import { teamsOfUser } from '../../store/people/teams.ts'
import { findUserByEmail, getUser } from '../../store/people/users.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'

/** Commits of an MR that are looked at for committers; more are an error of the gate, not a way around it. */
const MAX_COMMITS = 2_000

interface PeopleFacts extends Pick<GateFacts, 'reviews' | 'authorId' | 'committerIds' | 'teamsOf' | 'owners'> {
  /** Why it cannot be known who has made it; such an MR does not merge. */
  problem: ErrorBody | null
}

/** Who has a say in an MR and who has made it. `codeOwners`: those of the target branch. */
export async function peopleOf(
  parts: EngineParts,
  mr: MergeRequest,
  reviews: readonly Review[],
  codeOwners: CodeOwners | null,
): Promise<PeopleFacts> {
  const standing = reviews.filter((review) => review.droppedAt === null)
  const [names, emails, teams] = [new Map<string, string>(), new Map<string, string>(), new Map<string, string[]>()]
  for (const userId of new Set(standing.map((review) => review.userId))) {
    const user = await getUser(parts.store.db, userId)
    names.set(userId, user?.name ?? userId)
    if (user?.email) emails.set(userId, user.email)
    const memberOf = await teamsOfUser(parts.store.db, userId)
    teams.set(
      userId,
      memberOf.map((team) => team.name),
    )
  }
  const committers = await committersOf(parts, mr)
  return {
    problem: committers.problem,
    reviews: standing.map((review) => ({
      id: review.id,
      userId: review.userId,
      userName: names.get(review.userId)!,
      ...(emails.has(review.userId) && { userEmail: emails.get(review.userId)! }),
      verdict: review.verdict,
      digests: review.digests as { [key: StackKey]: string },
      at: review.createdAt,
    })),
    authorId: mr.authorId,
    committerIds: committers.ids,
    teamsOf: (userId) => teams.get(userId) ?? [],
    owners: codeOwners ? await ownedFiles(parts, mr, codeOwners) : [],
  }
}

/** Authors, committers and pushers of its commits. */
export async function committersOf(
  parts: EngineParts,
  mr: MergeRequest,
): Promise<{ ids: string[]; problem: ErrorBody | null }> {
  const git = repositoryOf(parts, mr.repositoryId)
  const commits = await git.log({ from: mr.targetOid, to: mr.headOid, limit: MAX_COMMITS + 1 })
  const emails = new Set(commits.flatMap((commit) => [commit.author.email, commit.committer.email]))
  const users = await Promise.all([...emails].map((email) => findUserByEmail(parts.store.db, email)))
  // The names in a commit are those that its maker has typed in; who pushed it is known.
  const pushers = await pushersOf(
    parts.store.db,
    mr.repositoryId,
    commits.map((commit) => commit.oid),
  )
  const ids = [...new Set([...users.flatMap((user) => (user ? [user.id] : [])), ...pushers])]
  if (commits.length <= MAX_COMMITS) return { ids, problem: null }
  const problem = new TrueupError('TOO_LARGE', {
    doing: `looking for the committers of !${mr.number}`,
    why: `it has more than ${MAX_COMMITS} commits`,
    next: 'Squash them, or split the merge request.',
  })
  return { ids, problem: problem.toJSON() }
}

/** A file of several sections has an entry for each: someone of every section has to approve. */
async function ownedFiles(
  parts: EngineParts,
  mr: MergeRequest,
  codeOwners: CodeOwners,
): Promise<PeopleFacts['owners']> {
  const git = repositoryOf(parts, mr.repositoryId)
  const base = (await git.mergeBase(mr.targetOid, mr.headOid)) ?? mr.targetOid
  const changed = await git.changedPaths(base, mr.headOid)
  return changed.flatMap((path) => ownerGroupsOf(codeOwners, path).map((owners) => ({ path, owners })))
}
