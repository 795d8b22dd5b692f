/** What the merge request of a rollback keeps of its plan, as `originDetail`. */
export type RollbackDetail = {
  stacks: {
    stackId: string
    toCommit: string
    badCommit: string
    badDigest: string
    /** Runs of the stack after this one are taken back; null: those of `badCommit`. */
    sinceRunId?: string | null
    /** The rollback that had put the stack where it is left from: this takes that one back. */
    undoesMrId?: string
  }[]
  /** Stacks that come back to Git. */
  removed?: string[]
  reason?: string
  /** The merge that is reverted as a whole. */
  revertCommit: string | null
  /** The fast lane is for this commit only. */
  commitOid: string
}
