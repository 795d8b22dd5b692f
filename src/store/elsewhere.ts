import { existsSync } from 'node:fs'
import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { writeDurably } from '../lib/durable-file.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { continueIds } from './database/continue-ids.ts'
import type { DataLock } from './database/lock.ts'
import { openPostgres } from './database/postgres/open.ts'
import { placeOf } from './database/postgres/pool.ts'
import { DATABASE_FILE, makeStore, type Store, type StoreLog } from './store.ts'

/** Says, in a data directory, where its rows are: without user and password. */
export const ELSEWHERE_FILE = 'database-elsewhere'

interface Elsewhere {
  dataDir: string
  url: string
  clock: Clock
  lock: DataLock
  log: StoreLog | undefined
}

/** A store whose rows are in PostgreSQL; repositories, keys and packs stay in the data directory. */
export async function openElsewhere({ dataDir, url, clock, lock, log }: Elsewhere): Promise<Store> {
  const file = join(dataDir, DATABASE_FILE)
  // A move that was killed before its last step: the directory says already that its rows are elsewhere.
  if (existsSync(file) && (await elsewhereOf(dataDir)) === placeOf(url)) await rename(file, `${file}.moved`)
  if (existsSync(file))
    throw new TrueupError('CONFLICT', {
      doing: `opening the data directory ${dataDir} with a database elsewhere`,
      why: `it has a database of its own, ${DATABASE_FILE}, and a server knows one`,
      next: 'Move it (`trueup database move`), name a new data directory, or start without --database.',
    })
  // Not the error itself: `pg` hangs the whole connection onto it.
  const { db, applied, server, lost, close } = await openPostgres(url, (error) =>
    log?.error({ why: error.message }, 'a connection to the database broke'),
  )
  try {
    if (applied.length > 0) log?.info({ migrations: applied }, 'schema brought up to date')
    await continueIds(db)
    await writeElsewhere(dataDir, url)
  } catch (error) {
    await close()
    throw error
  }
  const closeAll = async (): Promise<void> => {
    await close()
    lock.release()
  }
  return makeStore({ db, dialect: 'postgres', clock, server, lost, close: closeAll, log })
}

/** Has a data directory know where its rows are. */
export const writeElsewhere = (dataDir: string, url: string): Promise<void> =>
  writeDurably(join(dataDir, ELSEWHERE_FILE), `${placeOf(url)}\n`, 0o600)

/** Where the rows of this data directory are, null where they are in it. */
export async function elsewhereOf(dataDir: string): Promise<string | null> {
  const text = await readFile(join(dataDir, ELSEWHERE_FILE), 'utf8').catch(() => '')
  return text.trim() || null
}

/** A server that was started without the address of its database must not begin a new one beside it. */
export async function refuseElsewhere(dataDir: string): Promise<void> {
  const place = await elsewhereOf(dataDir)
  if (place === null) return
  throw new TrueupError('CONFLICT', {
    doing: `opening the data directory ${dataDir}`,
    why: `its rows are in ${place}`,
    next: 'Name that database: --database, or TRUEUP_DATABASE.',
  })
}
