import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { TrueupError } from '../../../lib/errors/error.ts'
import { asStoreError } from './errors.ts'
import { openForReading } from './open.ts'

/**
 * Up to this size the check is a matter of a second (300 MB a second, 2 cores, 2026); a start must not wait for more.
 * Larger ones are looked at by `trueup doctor` and by every backup.
 */
const AT_START_BYTES = 256 * 1024 * 1024

const NEXT =
  'Keep the file, and restore the last backup into another directory with `trueup restore`. A disk that changed it may do so again: look at its health.'

/** `pragma quick_check` (https://sqlite.org/pragma.html#pragma_quick_check) of an open database. DATA_CORRUPT. */
export function quickCheck(database: DatabaseSync, file: string): void {
  const doing = `checking the database ${file}`
  let answers: string[]
  try {
    answers = database
      .prepare('pragma quick_check(3)')
      .all()
      .map((row) => String(row.quick_check))
  } catch (error) {
    const known = asStoreError(error, doing, file)
    if (!(known instanceof TrueupError) || known.code !== 'DATA_CORRUPT') throw known
    answers = [known.text.why]
  }
  const why = answers.filter((answer) => answer !== 'ok').join('; ')
  if (why !== '') throw new TrueupError('DATA_CORRUPT', { doing, why: `a page of it is damaged: ${why}`, next: NEXT })
}

/** The same before a server goes on with it, where that takes no time that anybody waits for. */
export function quickCheckAtStart(database: DatabaseSync, file: string): void {
  if (statSync(file).size <= AT_START_BYTES) quickCheck(database, file)
}

/** The same of a database that somebody else may have open. */
export function quickCheckFile(file: string): void {
  const database = openForReading(file)
  try {
    quickCheck(database, file)
  } finally {
    database.close()
  }
}
