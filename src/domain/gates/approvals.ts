import type { Owner } from './code-owners.ts'
import type { Approver } from '../stacks/environment.ts'
import type { StackKey } from '../stacks/stack.ts'

export interface ApprovalRules {
  required: number
  /** Whose votes count; empty = everyone with the right to approve. */
  from: readonly Approver[]
  codeOwners: boolean
}

export interface Review {
  id?: string
  userId: string
  userName: string
  /** For CODEOWNERS files that name people by address. */
  userEmail?: string
  verdict: 'approve' | 'request_changes' | 'comment'
  /** stack key → plan digest that the reviewer saw. */
  digests: { readonly [stackKey: StackKey]: string }
  at: number
}

export interface ApprovalFacts {
  rules: ApprovalRules
  /** Reviews that were not dropped. */
  reviews: readonly Review[]
  /** Stacks of this environment with the digest of their current plan; null while there is none. */
  stacks: readonly { key: StackKey; digest: string | null }[]
  authorId: string
  committerIds: readonly string[]
  /** Names of the teams that a user is in. */
  teamsOf(userId: string): readonly string[]
  /** Changed files that have owners. */
  owners: readonly { path: string; owners: readonly Owner[] }[]
}

export interface ApprovalOutcome {
  satisfied: boolean
  required: number
  /** Votes that count towards `required`, one a person, with the rule that lets them (`anyone`, `team:platform`). */
  counted: { userId: string; userName: string; via: string }[]
  /** Approvals that do not count towards `required`, and why. */
  refused: { userId: string; userName: string; why: string }[]
  /** What is still to be had, in sentences; empty exactly when satisfied. */
  missing: string[]
}

/**
 * Whether one environment's approval rules are met. Only a person's newest verdict speaks (comments do not change it),
 * one vote each however many teams they are in, never the author's nor that of someone whose commit is in the change,
 * and only for exactly the plans that are current. A request for changes blocks until its author takes it back.
 */
export function evaluateApprovals(facts: ApprovalFacts): ApprovalOutcome {
  const verdicts = newestVerdicts(facts.reviews)
  const judged = verdicts
    .filter((review) => review.verdict === 'approve')
    .map((review) => ({ review, invalid: whyInvalid(review, facts), via: groupOf(review, facts) }))
  const valid = judged.filter(({ invalid }) => invalid === null)
  const counted = valid.flatMap(({ review, via }) => (via === null ? [] : [{ ...voter(review), via }]))
  const missing = [
    ...missingVotes(facts.rules, counted.length),
    ...missingOwners(
      facts,
      valid.map(({ review }) => review),
    ),
    ...verdicts
      .filter((review) => review.verdict === 'request_changes')
      .map((review) => `${review.userName} asks for changes and has to approve or take that back`),
  ]
  return {
    satisfied: missing.length === 0,
    required: facts.rules.required,
    counted,
    refused: judged.flatMap(({ review, invalid, via }) => {
      const why = invalid ?? (via === null ? `is not one of ${namesOf(facts.rules.from)}` : null)
      return why === null ? [] : [{ ...voter(review), why }]
    }),
    missing,
  }
}

const voter = ({ userId, userName }: Review) => ({ userId, userName })

function newestVerdicts(reviews: readonly Review[]): Review[] {
  const newest = new Map<string, Review>()
  for (const review of reviews) {
    if (review.verdict === 'comment') continue
    const known = newest.get(review.userId)
    if (!known || known.at <= review.at) newest.set(review.userId, review)
  }
  return [...newest.values()]
}

function whyInvalid(review: Review, facts: ApprovalFacts): string | null {
  if (review.userId === facts.authorId) return 'is the author of this change'
  if (facts.committerIds.includes(review.userId)) return 'has commits in this change'
  const stale = facts.stacks.filter(({ key, digest }) => digest === null || review.digests[key] !== digest)
  if (stale.length === 0) return null
  return `approved another plan than the current one of ${listed(stale.map(({ key }) => key))}`
}

/** The first rule that lets a person vote; null when none does. */
function groupOf(review: Review, facts: ApprovalFacts): string | null {
  if (facts.rules.from.length === 0) return 'anyone'
  const group = facts.rules.from.find((principal) => isIn(principal, review, facts))
  return group ? `${group.kind}:${group.name}` : null
}

function isIn(principal: Owner | Approver, review: Review, facts: ApprovalFacts): boolean {
  switch (principal.kind) {
    case 'user':
      return principal.name === review.userName
    case 'team':
      return facts.teamsOf(review.userId).includes(principal.name)
    case 'email':
      return principal.name.toLowerCase() === review.userEmail?.toLowerCase()
  }
}

function missingVotes(rules: ApprovalRules, votes: number): string[] {
  const left = rules.required - votes
  if (left <= 0) return []
  const whose = rules.from.length === 0 ? '' : ` from ${namesOf(rules.from)}`
  return [`${left} more ${left === 1 ? 'approval' : 'approvals'}${whose} (${votes} of ${rules.required})`]
}

/** One sentence per group of owners, not per file: a large change has thousands of files and few owners. */
function missingOwners(facts: ApprovalFacts, valid: readonly Review[]): string[] {
  if (!facts.rules.codeOwners) return []
  const waiting = new Map<string, string[]>()
  for (const { path, owners } of facts.owners) {
    if (owners.length === 0) continue
    if (valid.some((review) => owners.some((owner) => isIn(owner, review, facts)))) continue
    const names = namesOf(owners)
    waiting.set(names, [...(waiting.get(names) ?? []), path])
  }
  return [...waiting].map(([names, paths]) => `an approval by ${names} as code owner of ${listed(paths)}`)
}

const namesOf = (principals: readonly (Owner | Approver)[]): string =>
  principals.map(({ kind, name }) => (kind === 'email' ? name : `${kind}:${name}`)).join(' or ')

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ')
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown
}

/** The rules as a `require-approval` policy raises them: one more than the environment asks for. */
export function raised(rules: ApprovalRules): ApprovalRules {
  return { ...rules, required: rules.required + 1 }
}

export interface DroppedReview {
  review: Review
  /** Stacks whose plan is not the one that was approved. */
  stacks: StackKey[]
  /** True where the approval still holds for every stack of some environment: it is not to be dropped whole. */
  partly: boolean
  why: string
}

/**
 * Approvals that no longer hold for some current plan, with the stacks that changed under them. A stack that was
 * approved and is no longer affected takes nothing from an approval; one that appeared since does.
 */
export function droppedReviews(
  reviews: readonly Review[],
  currentDigests: { readonly [stackKey: StackKey]: string },
): DroppedReview[] {
  const current = Object.entries(currentDigests)
  return reviews.flatMap((review) => {
    if (review.verdict !== 'approve') return []
    const stacks = current.filter(([key, digest]) => review.digests[key] !== digest).map(([key]) => key)
    if (stacks.length === 0) return []
    const lost = new Set(stacks.map(environmentOf))
    const partly = current.some(([key]) => !lost.has(environmentOf(key)))
    return [{ review, stacks, partly, why: describe(review, stacks) }]
  })
}

/** An environment's name holds no slash; a stack's may. */
const environmentOf = (key: StackKey): string => key.slice(0, key.indexOf('/'))

function describe(review: Review, stacks: readonly StackKey[]): string {
  const appeared = stacks.filter((key) => !Object.hasOwn(review.digests, key))
  const changed = stacks.filter((key) => Object.hasOwn(review.digests, key))
  return [
    changed.length > 0 ? `the plan of ${changed.join(', ')} changed` : null,
    appeared.length > 0 ? `${appeared.join(', ')} joined the change` : null,
  ]
    .filter((part) => part !== null)
    .join('; ')
}
