import type { ErrorCode } from '../../lib/errors/table.ts'

/** A commit that does not count as signed. */
export interface Lacking {
  commit: string
  code: ErrorCode
  /** In words, to be read after the commit: `it bears no signature`. */
  why: string
}

/** What one environment asks of the commits of an MR, and what they lack. */
export interface SignatureFacts {
  environment: string
  require: readonly ('commits' | 'merges')[]
  /** How many commits were looked at. */
  commits: number
  /** Names of those who signed them. */
  signers: readonly string[]
  lacking: readonly Lacking[]
  /** Whose key will sign the merge; null where nobody's will, or nobody can know. */
  mergeSigner: string | null
}

/** `0123456789 it bears no signature`. */
export const lackingText = ({ commit, why }: Lacking): string => `${commit.slice(0, 10)}: ${why}`
