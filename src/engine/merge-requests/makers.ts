import { type ErrorBody, TrueupError } from '../../lib/errors/error.ts'
import type { Makers } from '../../domain/gates/approvals.ts'
import type { Commit } from '../../git/repository.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { pushersOf } from '../../store/changes/refs.ts'
import { findUsersByEmail } from '../../store/people/users.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { isRollback } from '../rolled-back/judge.ts'

/** Commits of an MR that are looked at for its makers; more are an error of the gate, not a way around it. */
const MAX_COMMITS = 2_000

export interface MakersFound extends Makers {
  /** Whom the commits name and nobody has let vote, with those commits; pushers are not among them. */
  named: { userId: string; commits: string[] }[]
  /** Why it cannot be known who has made it; such an MR does not merge. */
  problem: ErrorBody | null
}

/**
 * Who has made an MR; a merged one stays between the heads it was merged of. Who pushed is known from the push itself,
 * before the branch moved. The names in a commit are those that its maker has typed in: they keep people from approving
 * their own work, and a maintainer can lift that (`liftName`), since anybody may type anybody's name.
 */
export async function makersOf(parts: EngineParts, mr: MergeRequest): Promise<MakersFound> {
  const git = repositoryOf(parts, mr.repositoryId)
  const commits = await git.log({ from: mr.targetOid, to: mr.headOid, limit: MAX_COMMITS + 1 })
  const { db } = parts.store
  const oids = commits.map((commit) => commit.oid)
  const pusherIds = await pushersOf(db, mr.repositoryId, oids)
  const isKnown = isRollback(mr) || (await pushersOf(db, mr.repositoryId, [mr.headOid])).length > 0
  const named = (await namedBy(parts, commits)).filter(
    ({ userId, commits: naming }) => !pusherIds.includes(userId) && !isLifted(mr, userId, naming),
  )
  return {
    authorId: mr.authorId,
    pusherIds,
    namedIds: named.map(({ userId }) => userId),
    named,
    unknownTip: isKnown ? null : mr.headOid,
    problem: commits.length > MAX_COMMITS ? tooMany(mr) : null,
  }
}

/** Commits that came later name the person anew. */
function isLifted({ lifted }: MergeRequest, userId: string, naming: readonly string[]): boolean {
  const known = new Set((lifted ?? []).filter((entry) => entry.userId === userId).flatMap((entry) => entry.commits))
  return naming.every((oid) => known.has(oid))
}

async function namedBy(parts: EngineParts, commits: readonly Commit[]): Promise<MakersFound['named']> {
  const byEmail = new Map<string, string[]>()
  for (const commit of commits) {
    const emails = [commit.author.email, commit.committer.email, ...coAuthors(commit.message)]
    for (const email of new Set(emails.map((text) => text.trim().toLowerCase()))) {
      byEmail.set(email, [...(byEmail.get(email) ?? []), commit.oid])
    }
  }
  const users = await findUsersByEmail(parts.store.db, byEmail.keys())
  return users.map((user) => ({ userId: user.id, commits: byEmail.get(user.email.toLowerCase()) ?? [] }))
}

/**
 * Addresses of `Co-authored-by:` lines, wherever they stand and with or without angle brackets: an exclusion too many can be
 * lifted. One that goes on in the next line (which begins with a space) is one.
 */
function coAuthors(message: string): string[] {
  const lines = message.replaceAll(/\r?\n[ \t]+(?=\S)/g, ' ').matchAll(/^[ \t]*co-?authored-by[ \t]*:(.{1,2000})$/gim)
  return [...lines].flatMap(([, text = '']) => text.match(/[^\s<>()[\],;:"]{1,100}@[^\s<>()[\],;:"]{1,200}/g) ?? [])
}

function tooMany(mr: MergeRequest): ErrorBody {
  return new TrueupError('TOO_LARGE', {
    doing: `looking for the makers of !${mr.number}`,
    why: `it has more than ${MAX_COMMITS} commits`,
    next: 'Squash them, or split the merge request.',
  }).toJSON()
}
