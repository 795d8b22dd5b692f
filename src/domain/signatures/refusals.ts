import type { ErrorCode } from '../../lib/errors/table.ts'
import type { CommitSignature } from './signature.ts'

/** Why a signature does not do, in words; the same for agents, gates and deployments. */
export interface Refusal {
  code: ErrorCode
  why: string
}

export const REFUSED: { [status in Exclude<CommitSignature['status'], 'good'>]: Refusal } = {
  none: { code: 'COMMIT_UNSIGNED', why: 'it bears no signature' },
  bad: { code: 'SIGNATURE_INVALID', why: 'its signature does not fit what it holds' },
  unknown: { code: 'SIGNER_UNKNOWN', why: 'it is signed by a key that is not among the allowed signers' },
  expired: { code: 'SIGNER_EXPIRED', why: 'it is signed by a key that is not valid any more, or not yet' },
  revoked: { code: 'SIGNER_REVOKED', why: 'it is signed by a key that was revoked' },
}
