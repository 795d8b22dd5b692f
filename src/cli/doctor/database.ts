import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { asTrueupError } from '../../lib/errors/error.ts'
import type { Check } from './check.ts'

/**
 * Reads the whole database of a data directory and compares its structure with what SQLite expects, and looks whether the
 * keys are there that it was written with. Nothing is written, so a server may run on it; nothing is said where there is none.
 * `url`: where a PostgreSQL database is, if the directory's rows are in one.
 */
export async function checkDatabaseAndKeys(dataDir: string, url?: string): Promise<Check[]> {
  const { elsewhereOf } = await import('../../store/elsewhere.ts')
  const place = await elsewhereOf(dataDir)
  if (place !== null) return await checkElsewhere(dataDir, place, url)
  const { DATABASE_FILE } = await import('../../store/store.ts')
  const file = join(dataDir, DATABASE_FILE)
  if (!existsSync(file)) return []
  const { readUsedKeys } = await import('../../store/backup/contents.ts')
  const { quickCheckFile } = await import('../../store/database/sqlite/quick-check.ts')
  const { checkKeys } = await import('../../store/database/keys.ts')
  return [
    await check('database', `${file} is whole`, () => quickCheckFile(file)),
    await check('keys', 'those that the database was written with', () => checkKeys(dataDir, readUsedKeys(dataDir))),
  ]
}

async function checkElsewhere(dataDir: string, place: string, url: string | undefined): Promise<Check[]> {
  if (url === undefined)
    return [
      { name: 'database', state: 'note', finding: `the rows are in ${place}; TRUEUP_DATABASE lets me look at it` },
    ]
  const { lookAtDatabase } = await import('../../store/database/postgres/look.ts')
  const { checkKeys } = await import('../../store/database/keys.ts')
  try {
    const seen = await lookAtDatabase(url)
    return [
      { name: 'database', state: 'ok', finding: `${seen.place}, PostgreSQL ${seen.version}` },
      await check('keys', 'those that the database was written with', () => checkKeys(dataDir, seen)),
    ]
  } catch (thrown) {
    const { text } = asTrueupError(thrown, 'looking at the database')
    return [{ name: 'database', state: 'error', finding: text.why, ...(text.next && { next: text.next }) }]
  }
}

async function check(name: string, finding: string, look: () => unknown): Promise<Check> {
  try {
    await look()
    return { name, state: 'ok', finding }
  } catch (thrown) {
    const { text } = asTrueupError(thrown, `looking at the ${name}`)
    return { name, state: 'error', finding: text.why, ...(text.next && { next: text.next }) }
  }
}
