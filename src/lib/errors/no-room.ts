import { TrueupError } from './error.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** As libc, Go, Java and SQLite say it, and Node by its code. */
const WORDS = /no space left on device|disk quota exceeded|database or disk is full|\b(?:ENOSPC|EDQUOT)\b/i

/** Whether something failed for want of room: by the system's code, or by the words of a program that was run. */
export function tellsOfNoRoom(thrown: unknown): boolean {
  for (let at = thrown; at instanceof Error; at = at.cause) {
    if (at instanceof TrueupError && at.code === 'NO_ROOM') return true
    if (FULL.has(String((at as NodeJS.ErrnoException).code))) return true
    if (WORDS.test(at instanceof TrueupError ? at.text.why : at.message)) return true
  }
  return false
}
