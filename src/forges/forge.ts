import type { Queries } from '../store/database/context.ts'
import type { JsonObject } from '../lib/json.ts'
import type { Comment } from '../store/changes/comments.ts'
import type { MergeRequest } from '../store/changes/merge-requests.ts'
import type { Review } from '../store/changes/reviews.ts'
import type { Capabilities, MergeMethod } from './capabilities.ts'

export type ForgeName = 'builtin' | 'gitea' | 'gitlab' | 'github'

/**
 * What the engine, the server and ref sync ask of the place where the merge requests of a repository live. What is said
 * to it are intents; what became of them is read again. The rows that the calls give back are the store's copy of what
 * the forge says (on the built-in forge they are the merge request itself), so that everything else can ask the store, and
 * a transaction never waits for a forge.
 */
export interface Forge {
  readonly name: ForgeName
  readonly can: Capabilities
  /** Nobody merges there but by Trueup's gate. Elsewhere people may, and what they merge is judged when it is enacted. */
  readonly gated: boolean
  readonly changes: Changes
  readonly reviews: Reviews
  readonly comments: Comments
  readonly statuses: Statuses
  readonly deployments: Deployments
  readonly merging: Merging
  readonly groups: Groups
  readonly branches: Branches
  /**
   * Reads again what the forge says of a repository: its branches, its merge requests and what was said of them. Ref sync
   * is the caller's. Nothing on the built-in forge. Errors: FORGE_*.
   */
  look(repositoryId: string): Promise<void>
}

/** Branches of a repository that Trueup moves. */
export interface Branches {
  /**
   * Compare-and-swap from `oldOid` (NO_OID: does not exist) to a commit that is here, on the forge and here. False where it
   * stood elsewhere. Errors: FORGE_*, REMOTE_UNREACHABLE.
   */
  move(repositoryId: string, branch: string, newOid: string, oldOid: string): Promise<boolean>
}

export interface NewChange {
  repositoryId: string
  sourceBranch: string
  targetBranch: string
  title: string
  description: string
  authorId: string
  draft?: boolean
  /** Set when Trueup makes the MR itself. */
  origin?: { kind: 'rollback' | 'codify'; detail: JsonObject }
}

export interface MrEdit {
  title?: string
  description?: string
  draft?: boolean
}

/** Merge requests from being opened to being closed. `actor`: as the audit writes it, `user:…` or `system`. */
export interface Changes {
  /** The same source and target give the MR that is open already. Errors: NOT_FOUND (branch), INVALID_REQUEST. */
  open(change: NewChange): Promise<MergeRequest>
  /** Changes what people wrote. Errors: CONFLICT (not open), INVALID_REQUEST. */
  edit(mrId: string, actorId: string, edit: MrEdit): Promise<MergeRequest>
  /** Errors: CONFLICT (not open). */
  close(mrId: string, actor: string, reason: string): Promise<MergeRequest>
  /** Errors: NOT_FOUND (branch), CONFLICT (not closed, nothing to merge, or another one is open for the branches). */
  reopen(mrId: string, actor: string): Promise<MergeRequest>
  /** Git shows that nothing is left to merge: a branch is gone, or the target has it all. No error where it is over anyway. */
  endAsPointless(mrId: string, reason: string): Promise<void>
  /** Before a decision: reads it and its reviews again where they live elsewhere. Errors: FORGE_*. */
  readAgain(mrId: string): Promise<void>
}

export interface NewReview {
  mrId: string
  userId: string
  verdict: 'approve' | 'request_changes' | 'comment'
  body: string
  /** Head that the reviewer looked at; refused with MR_MOVED when the branch has moved on. */
  headOid: string
  /** stack key → plan digest that the reviewer saw. */
  digests: { [stackKey: string]: string }
  /** Owned file → its content that the reviewer saw. */
  files: { [path: string]: string }
  /** When the reviewer's login had last proven the second factor. */
  provenAt?: number | null
}

export interface Reviews {
  /** An earlier review of the same person no longer counts. Errors: MR_MOVED, FORBIDDEN (author), CONFLICT (not open). */
  give(review: NewReview): Promise<Review>
  /** Takes one's own approval or request for changes back. Errors: NOT_FOUND where there is none, CONFLICT (not open). */
  withdraw(mrId: string, userId: string): Promise<void>
}

export interface NewComment {
  mrId: string
  authorId: string
  body: string
  /** First comment of the thread that this one answers; a new thread where absent. */
  threadId?: string
  /** For a line comment: a file of the diff, and a line on one side of it. */
  path?: string
  line?: number
  side?: 'old' | 'new'
}

export interface ThreadState {
  mrId: string
  threadId: string
  userId: string
  resolved: boolean
}

export interface Comments {
  /** Adds a comment, a line comment or an answer. Errors: NOT_FOUND (thread), INVALID_REQUEST, TOO_LARGE. */
  add(comment: NewComment): Promise<Comment>
  /** Marks a thread resolved, or open again. Errors: NOT_FOUND. */
  resolve(thread: ThreadState): Promise<void>
  /**
   * A sign beside a comment that commands something. False where the comment is gone: whoever wrote it has thought better
   * of it. Errors: FORGE_*.
   */
  sign(mrId: string, commentId: string, sign: Sign): Promise<boolean>
  /** Creates or replaces Trueup's own comment with this marker; one of each kind per MR. */
  upsert(mrId: string, marker: string, body: string, shows?: Shown): Promise<void>
}

/** `taken`: it was read and is obeyed. `refused`: its writer may not. */
export type Sign = 'taken' | 'refused'

/** What stands on the page of a merge request from now on: an approval that is given there is one of it. */
export interface Shown {
  headOid: string
  /** As in a review. */
  digests: { [stackKey: string]: string }
  files: { [path: string]: string }
}

export interface CommitStatus {
  /** What it is about: `trueup/gate`. A later one of the same name takes its place. */
  name: string
  state: 'pending' | 'success' | 'failure'
  /** In words: `1 more approval from team:platform`. */
  description: string
  /** Of a pending one that ends only when people do something. */
  waitsFor?: 'people'
}

export interface Statuses {
  /** Of one commit of the MR's source branch. Errors: FORGE_CANNOT. */
  set(mrId: string, headOid: string, status: CommitStatus): Promise<void>
}

/** What became of a commit in one environment. `canceled`: something newer, or a person, ended it. */
export interface ForgeDeployment {
  environment: string
  production: boolean
  state: 'running' | 'success' | 'failure' | 'canceled'
  /** In words: `2 of 3 stacks deployed`. */
  description: string
}

export interface Deployments {
  /** Shows it, in place of what was shown of the same commit there. Errors: FORGE_CANNOT, FORGE_PERMISSION. */
  set(mrId: string, commitOid: string, deployment: ForgeDeployment): Promise<void>
}

/** Groups and teams of people on the forge, which environments may name as approvers. */
export interface Groups {
  /**
   * Reads who is in those of these (`gitlab:group/sub`) of which nothing is known, or something older than that. What is not to be
   * seen has nobody in it, and says so. Errors: FORGE_*.
   */
  read(repositoryId: string, names: readonly string[], maxAgeMs: number): Promise<void>
}

export interface MergeHow {
  mrId: string
  /** Heads that the caller has judged; MR_MOVED when either has moved since. */
  headOid: string
  targetOid: string
  method: MergeMethod
  actorId: string
  bypassReason: string | null
  /**
   * Asked in the transaction that writes down that the merge begins: whether plans and reviews are still those that were
   * judged. MR_MOVED where they are not. A forge is told to merge only after that transaction.
   */
  stillAsJudged(tx: Queries): Promise<boolean>
}

/**
 * A merge is written down as begun, done by the forge, and recorded as what the forge says. Whoever dies in between leaves a
 * begun one, which `settle` brings to its end. The caller sees to it that nobody settles an MR while it is merged.
 */
export interface Merging {
  /** Merges by compare-and-swap on the heads that were judged. Errors: MR_CONFLICT, MR_MOVED, CONFLICT (not open), FORGE_CANNOT. */
  merge(how: MergeHow): Promise<MergeRequest>
  /** Records a begun merge that came about, and takes any other back. Nothing where none was begun. */
  settle(mrId: string): Promise<void>
  /**
   * The MR whose merge this commit of a target branch is, recorded as merged; null where it is nobody's. The commit may
   * be seen before the merge that made it is recorded.
   */
  mergedWith(repositoryId: string, commitOid: string): Promise<MergeRequest | null>
}
