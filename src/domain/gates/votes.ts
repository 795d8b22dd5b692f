import type { Approver } from '../stacks/environment.ts'
import type { StackKey } from '../stacks/stack.ts'
import type { Owner } from './owner-rules.ts'
import { isAtLeast, type Role } from '../roles.ts'

export interface Review {
  id?: string
  userId: string
  userName: string
  /** For CODEOWNERS files that name people by address. */
  userEmail?: string
  /** In the repository, for those that name people by it; absent for none. */
  role?: Role
  verdict: 'approve' | 'request_changes' | 'comment'
  /** stack key → plan digest that the reviewer saw. */
  digests: { readonly [stackKey: StackKey]: string }
  /** Owned file → what the reviewer saw there (`owned-files.ts`). */
  files?: { readonly [path: string]: string }
  /** Why its giver may not vote any more, to follow the name; absent while they may. */
  barred?: string
  /** When its giver had last proven the second factor. */
  provenAt?: number | null
  at: number
}

/** Names of the teams that a user is in, and of groups on the forge (`gitlab:group/sub`). */
export type TeamsOf = (userId: string) => readonly string[]

/** Each person's newest verdict; comments say neither yes nor no. */
export function newestVerdicts(reviews: readonly Review[]): Review[] {
  const newest = new Map<string, Review>()
  for (const review of reviews) {
    if (review.verdict === 'comment') continue
    const known = newest.get(review.userId)
    if (!known || known.at <= review.at) newest.set(review.userId, review)
  }
  return [...newest.values()]
}

/** Whether a reviewer is one of those whom a rule names. */
export function isIn(principal: Owner | Approver, review: Review, teamsOf: TeamsOf): boolean {
  switch (principal.kind) {
    case 'github':
    case 'gitlab':
    case 'gitea':
      return teamsOf(review.userId).includes(`${principal.kind}:${principal.name}`)
    case 'user':
      return principal.name === review.userName
    case 'team':
      return teamsOf(review.userId).includes(principal.name)
    case 'email':
      return principal.name.toLowerCase() === review.userEmail?.toLowerCase()
    case 'role':
      return review.role !== undefined && hasRole(review.role, principal.name)
  }
}

/** Who may release is a maintainer of the forge as well; a maintainer is no developer there. */
export const hasRole = (role: Role, named: string): boolean =>
  named === 'maintainer' ? isAtLeast(role, named) : role === named

export const namesOf = (principals: readonly (Owner | Approver)[]): string =>
  principals
    .map((its) => {
      const name = its.kind === 'email' ? its.name : `${its.kind}:${its.name}`
      return 'why' in its && its.why ? `${name} (which cannot be read: ${its.why})` : name
    })
    .join(' or ')

/** Whether somebody is one of the approvers that a rule names. `groups`: teams here, and groups there with their forge. */
export const isNamed = (
  from: readonly Approver[],
  who: { name: string | undefined; groups: readonly string[] },
): boolean =>
  from.some(({ kind, name }) =>
    kind === 'user' ? name === who.name : who.groups.includes(kind === 'team' ? name : `${kind}:${name}`),
  )

/** The first three of a list, and how many more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}
