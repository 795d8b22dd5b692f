import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import { vacuumWhole } from '../database/sqlite/vacuum.ts'
import { openStore } from '../open.ts'
import { DATABASE_FILE } from '../store.ts'

/**
 * Writes the database of a data directory anew without what is free in it, and so that it gives back what becomes free later.
 * Bytes of the file before and after. DATA_LOCKED while a server uses it, NO_ROOM where there is not twice its size free.
 */
export async function vacuumOffline(dataDir: string): Promise<{ before: number; after: number }> {
  const file = join(dataDir, DATABASE_FILE)
  const doing = `writing the database ${file} anew`
  const { size: before } = await stat(file).catch((cause: unknown) => {
    throw new TrueupError('NOT_FOUND', { doing, why: 'there is no Trueup database', next: 'Check --data.', cause })
  })
  const { bavail, bsize } = await statfs(dataDir)
  if (bavail * bsize < 2 * before)
    throw new TrueupError('NO_ROOM', {
      doing,
      why: `it has ${megabytes(before)} MB, and ${megabytes(bavail * bsize)} MB are free: twice its size is needed meanwhile`,
    })
  // SQLite would take the system's temporary directory, which may be small and in memory.
  process.env.SQLITE_TMPDIR ??= dataDir
  const store = await openStore(dataDir)
  try {
    await vacuumWhole(store.db)
  } finally {
    await store.close()
  }
  return { before, after: (await stat(file)).size }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
