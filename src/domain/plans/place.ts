/** What one stack manages and no other may: a directory of a host, a state, a stack of a cloud. */
export interface Place {
  /** Kind and canonical address, without secrets: `files:default:/etc/nginx`. Equal places have equal addresses. */
  address: string
  /**
   * Of directories: what is below it is the stack's as well, but for the directories that these globs (over paths below
   * the address) leave to others. Absent where an address is no directory.
   */
  except?: string[]
  /**
   * Stacks of one environment may have it together, as two playbooks may edit one file; of another environment or
   * repository none may.
   */
  shared?: boolean
}

/** At most this many places are kept of one plan: files of a host are places too. */
export const MAX_PLACES = 20_000
