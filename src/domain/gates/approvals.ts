import type { Approver } from '../stacks/environment.ts'
import type { StackKey } from '../stacks/stack.ts'
import { missingOwners, type OwnedFile } from './owned-files.ts'
import { isIn, listed, namesOf, newestVerdicts, type Review, type TeamsOf } from './votes.ts'

export interface ApprovalRules {
  required: number
  /** Whose votes count; empty = everyone with the right to approve. */
  from: readonly Approver[]
  codeOwners: boolean
}

/** Who has made a change, and so does not approve it. */
export interface Makers {
  authorId: string
  /** Who has pushed commits of it. */
  pusherIds: readonly string[]
  /** Whom its commits name as author, committer or co-author: their pusher's word, which a maintainer can lift. */
  namedIds: readonly string[]
  /** Its newest commit, where nobody knows who pushed it: nobody can approve that. */
  unknownTip: string | null
}

export interface ApprovalFacts {
  rules: ApprovalRules
  /** Reviews that were not dropped. */
  reviews: readonly Review[]
  /** Stacks of this environment with the digest of their current plan; null while there is none. */
  stacks: readonly { key: StackKey; digest: string | null }[]
  makers: Makers
  teamsOf: TeamsOf
  /** Changed files that have owners. */
  owned: readonly OwnedFile[]
}

export interface ApprovalOutcome {
  satisfied: boolean
  required: number
  /** Votes that count towards `required`, one a person, with the rule that lets them (`anyone`, `team:platform`). */
  counted: { userId: string; userName: string; via: string }[]
  /** Votes that do not count, and why. */
  refused: { userId: string; userName: string; why: string }[]
  /** What is still to be had, in sentences; empty exactly when satisfied. */
  missing: string[]
}

/**
 * Whether one environment's approval rules are met. Only a person's newest verdict speaks (comments do not change it),
 * and while that person may still give it; one vote each however many teams they are in, never the author's nor that of
 * someone who has a part in the change, and only for exactly the plans that are current. A request for changes blocks
 * until its author takes it back or may not vote any more.
 */
export function evaluateApprovals(facts: ApprovalFacts): ApprovalOutcome {
  const verdicts = newestVerdicts(facts.reviews)
  const judged = verdicts.map((review) => ({
    review,
    invalid: whyInvalid(review, facts),
    via: groupOf(review, facts),
  }))
  const valid = judged.filter(({ review, invalid }) => review.verdict === 'approve' && invalid === null)
  const counted = valid.flatMap(({ review, via }) => (via === null ? [] : [{ ...voter(review), via }]))
  const approvals = valid.map(({ review }) => review)
  const wanted = [
    ...missingVotes(facts.rules, counted.length),
    ...(facts.rules.codeOwners ? missingOwners(facts.owned, approvals, facts.teamsOf) : []),
  ]
  const missing = [
    ...(wanted.length > 0 ? originOf(facts.makers) : []),
    ...wanted,
    ...judged
      .filter(({ review, invalid }) => review.verdict === 'request_changes' && invalid === null)
      .map(({ review }) => `${review.userName} asks for changes and has to approve or take that back`),
  ]
  return {
    satisfied: missing.length === 0,
    required: facts.rules.required,
    counted,
    refused: judged.flatMap(({ review, invalid, via }) => {
      const stranger = review.verdict === 'approve' && via === null
      const why = invalid ?? (stranger ? `is not one of ${namesOf(facts.rules.from)}` : null)
      return why === null ? [] : [{ ...voter(review), why }]
    }),
    missing,
  }
}

const voter = ({ userId, userName }: Review) => ({ userId, userName })

/** Why a vote does not count, to follow its giver's name; whoever may vote may also ask for changes of their own work. */
function whyInvalid(review: Review, { makers, stacks }: ApprovalFacts): string | null {
  if (review.barred !== undefined) return review.barred
  if (review.verdict === 'request_changes') return null
  if (review.userId === makers.authorId) return 'is the author of this change'
  if (makers.pusherIds.includes(review.userId)) return 'has commits in this change'
  if (makers.namedIds.includes(review.userId)) return 'is named in commits of this change'
  if (makers.unknownTip !== null) return 'approved commits of unknown origin'
  const stale = stacks.filter(({ key, digest }) => digest === null || review.digests[key] !== digest)
  if (stale.length === 0) return null
  return `approved another plan than the current one of ${listed(stale.map(({ key }) => key))}`
}

/** The first rule that lets a person vote; null when none does. */
function groupOf(review: Review, { rules, teamsOf }: ApprovalFacts): string | null {
  if (rules.from.length === 0) return 'anyone'
  const group = rules.from.find((principal) => isIn(principal, review, teamsOf))
  return group ? `${group.kind}:${group.name}` : null
}

function missingVotes(rules: ApprovalRules, votes: number): string[] {
  const left = rules.required - votes
  if (left <= 0) return []
  const whose = rules.from.length === 0 ? '' : ` from ${namesOf(rules.from)}`
  return [`${left} more ${left === 1 ? 'approval' : 'approvals'}${whose} (${votes} of ${rules.required})`]
}

function originOf({ unknownTip }: Makers): string[] {
  if (unknownTip === null) return []
  return [
    `nobody knows who pushed ${unknownTip.slice(0, 10)}, so that nobody can approve it: whoever made it pushes it again ` +
      '(git commit --amend --no-edit, git push --force-with-lease)',
  ]
}

/** The rules as a `require-approval` policy raises them: one more than the environment asks for. */
export function raised(rules: ApprovalRules): ApprovalRules {
  return { ...rules, required: rules.required + 1 }
}
