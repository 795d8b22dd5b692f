import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { asTrueupError } from '../../lib/errors/error.ts'
import type { Check } from './check.ts'

/**
 * Reads the whole database of a data directory and compares its structure with what SQLite expects, and looks whether the
 * keys are there that it was written with. Nothing is written, so a server may run on it; nothing is said where there is none.
 */
export async function checkDatabaseAndKeys(dataDir: string): Promise<Check[]> {
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

async function check(name: string, finding: string, look: () => unknown): Promise<Check> {
  try {
    await look()
    return { name, state: 'ok', finding }
  } catch (thrown) {
    const { text } = asTrueupError(thrown, `looking at the ${name}`)
    return { name, state: 'error', finding: text.why, ...(text.next && { next: text.next }) }
  }
}
