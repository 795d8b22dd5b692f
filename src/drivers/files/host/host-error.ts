import type { ErrorCode } from '../../../lib/errors/table.ts'
import { TrueupError } from '../../../lib/errors/error.ts'
import { errorCode } from './host-tree.ts'
import { reasonOf } from './live.ts'

const CODES: { [errno: string]: ErrorCode } = {
  ENOSPC: 'TARGET_FULL',
  EDQUOT: 'TARGET_FULL',
  EACCES: 'TARGET_DENIED',
  EPERM: 'TARGET_DENIED',
  EROFS: 'TARGET_DENIED',
  ELOOP: 'TARGET_UNSAFE',
  ENOTDIR: 'TARGET_UNSAFE',
  EISDIR: 'TARGET_UNSAFE',
  EBUSY: 'TARGET_UNSAFE',
  ENOENT: 'PLAN_STALE',
  ENOTEMPTY: 'PLAN_STALE',
  EEXIST: 'PLAN_STALE',
}

/** A system error of the host's file system as an error for people; others pass through as they are. */
export function hostError(error: unknown, doing: string): unknown {
  const errno = errorCode(error)
  if (error instanceof TrueupError || errno === '') return error
  return new TrueupError(CODES[errno] ?? 'TARGET_DENIED', { doing, why: reasonOf(error), cause: error })
}
