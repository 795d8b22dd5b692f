import type { GateFacts } from '../../domain/gates/facts.ts'
import { VOTER, whyNot, type Role } from '../../domain/roles.ts'
import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Review } from '../../store/changes/reviews.ts'
import type { Queries } from '../../store/database/context.ts'
import { roleIn } from '../../store/people/members.ts'
import { getUser, type User } from '../../store/people/users.ts'
import { groupsOfUser } from './groups.ts'

export interface Person {
  user: User | null
  teams: string[]
  role: Role | null
  /** Why they may not do what was asked about, to follow their name; null while they may. */
  barred: string | null
}

/** A person as they stand now, and whether they may do what takes the role `needed` in this repository. */
export async function personIn(db: Queries, repositoryId: string, userId: string, needed: Role): Promise<Person> {
  const user = (await getUser(db, userId)) ?? null
  const role = await roleIn(db, repositoryId, userId)
  const standing = user && { kind: user.kind, disabled: user.disabledAt !== null, role }
  return {
    user,
    teams: await groupsOfUser(db, repositoryId, userId),
    role,
    barred: whyNot(standing, needed),
  }
}

/** The reviews that were not dropped, with whether their givers may still give them. */
export async function votesOf(
  db: Queries,
  repositoryId: string,
  reviews: readonly Review[],
): Promise<Pick<GateFacts, 'reviews' | 'teamsOf'>> {
  const standing = reviews.filter((review) => review.droppedAt === null)
  const people = new Map<string, Person>()
  for (const userId of new Set(standing.map((review) => review.userId)))
    people.set(userId, await personIn(db, repositoryId, userId, VOTER))
  return {
    teamsOf: (userId) => people.get(userId)?.teams ?? [],
    reviews: standing.map((review) => {
      const { user, role, barred } = people.get(review.userId)!
      return {
        id: review.id,
        userId: review.userId,
        userName: user?.name ?? review.userId,
        ...(user?.email && { userEmail: user.email }),
        ...(role && { role }),
        verdict: review.verdict,
        digests: review.digests as { [key: StackKey]: string },
        files: review.files ?? {},
        ...(barred !== null && { barred }),
        provenAt: review.provenAt,
        at: review.createdAt,
      }
    }),
  }
}
