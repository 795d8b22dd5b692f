import { TrueupError } from '../../../lib/errors/error.ts'

/** Primary result codes of SQLite (the low byte of `errcode`): https://sqlite.org/rescode.html */
const BUSY = 5
const UNWRITABLE: { [code: number]: string } = {
  3: 'access to a file of it is denied',
  8: 'it is read-only',
  10: 'the disk does not read or write (I/O error)',
  14: 'a file of it cannot be opened or made',
}
const FULL = 13
const CORRUPT: { [code: number]: string } = {
  11: 'the database file is damaged',
  26: 'the file is not a Trueup database',
}
const CONSTRAINT_UNIQUE = 2067
const CONSTRAINT_PRIMARYKEY = 1555

/** SQLite's (extended) result code of a thrown value, undefined for anything else. */
export function sqliteCode(thrown: unknown): number | undefined {
  const { code, errcode } = (thrown ?? {}) as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode : undefined
}

export const isBusy = (thrown: unknown): boolean => ((sqliteCode(thrown) ?? 0) & 0xff) === BUSY

/** A unique key would hold twice; for both databases (PostgreSQL's SQLSTATE 23505). */
export function isUniqueViolation(thrown: unknown): boolean {
  const code = sqliteCode(thrown)
  return (
    code === CONSTRAINT_UNIQUE || code === CONSTRAINT_PRIMARYKEY || (thrown as { code?: unknown })?.code === '23505'
  )
}

/** Conditions of the disk as NO_ROOM, DATA_UNWRITABLE or DATA_CORRUPT that name `place`; any other value as it is. */
export function asStoreError(thrown: unknown, doing: string, place: string): unknown {
  const primary = (sqliteCode(thrown) ?? 0) & 0xff
  if (primary === FULL) return new TrueupError('NO_ROOM', { doing, why: `${place}: its disk is full`, cause: thrown })
  const unwritable = UNWRITABLE[primary]
  if (unwritable) return new TrueupError('DATA_UNWRITABLE', { doing, why: `${place}: ${unwritable}`, cause: thrown })
  const corrupt = CORRUPT[primary]
  if (corrupt) return new TrueupError('DATA_CORRUPT', { doing, why: `${place}: ${corrupt}`, cause: thrown })
  return asFileError(thrown, doing, place)
}

const FILE_REASONS: { [code: string]: string } = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it is not a directory',
  EFBIG: 'the file size limit is reached',
  EIO: 'the disk does not read or write (I/O error)',
}

const NO_ROOM: { [code: string]: string } = { ENOSPC: 'the disk is full', EDQUOT: 'the disk quota is used up' }

/** The same for errors of the file system. */
export function asFileError(thrown: unknown, doing: string, place: string): unknown {
  const code = String((thrown as { code?: unknown })?.code)
  const full = NO_ROOM[code]
  if (full) return new TrueupError('NO_ROOM', { doing, why: `${place}: ${full}`, cause: thrown })
  const why = FILE_REASONS[code]
  return why ? new TrueupError('DATA_UNWRITABLE', { doing, why: `${place}: ${why}`, cause: thrown }) : thrown
}
