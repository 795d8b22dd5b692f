import type { Queries } from '../store/database/context.ts'
import type { JsonObject } from '../lib/json.ts'
import type { MergeRequest } from '../store/changes/merge-requests.ts'

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

export interface MergeHow {
  mrId: string
  /** Heads that the caller has judged; MR_MOVED when either has moved since. */
  headOid: string
  targetOid: string
  squash: boolean
  actorId: string
  bypassReason: string | null
  /**
   * Asked in the transaction that lets the merge begin: whether plans and reviews are still those that were judged.
   * MR_MOVED where they are not.
   */
  stillAsJudged(tx: Queries): Promise<boolean>
}

/**
 * What the engine asks of the place where merge requests live. Payloads of webhooks are hints: facts are read again
 * through these calls.
 */
export interface Forge {
  readonly name: 'builtin'
  openChange(change: NewChange): Promise<MergeRequest>
  /** Creates or replaces Trueup's own comment with this marker. */
  upsertComment(mrId: string, marker: string, body: string): Promise<void>
  /** Merges by compare-and-swap on the target branch. Errors: MR_CONFLICT, MR_MOVED, MR_BLOCKED (not open). */
  merge(how: MergeHow): Promise<MergeRequest>
  close(mrId: string, actorId: string, reason: string): Promise<void>
}
