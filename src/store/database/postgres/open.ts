import { HandleEmptyInListsPlugin, Kysely, replaceWithNoncontingentExpression, sql } from 'kysely'
import { TrueupError } from '../../../lib/errors/error.ts'
import { migrate } from '../migrate.ts'
import type { Database } from '../schema.ts'
import { orderByBytes } from './collation.ts'
import { postgresDialect } from './dialect.ts'
import { asPostgresError } from './errors.ts'
import { openPool, placeOf } from './pool.ts'
import { serve } from './serving.ts'

/** Transactions go one after another, so this is how many read beside the one that writes. */
const CONNECTIONS = 16
/** Below it, what SQLite has had for long is missing, and nobody tries it. */
const OLDEST = 15

export interface OpenPostgres {
  db: Kysely<Database>
  /** Names of the migrations that were applied. */
  applied: string[]
  /** Id of this process in the database. */
  server: string
  /** See `Store.lost`. */
  lost: AbortSignal
  close: () => Promise<void>
}

/** The address of a database, or CONFIG_INVALID. */
export function assertPostgresUrl(url: string): void {
  const parsed = URL.parse(url)
  if (parsed && /^postgres(ql)?:$/.test(parsed.protocol) && parsed.pathname.length > 1) return
  throw new TrueupError('CONFIG_INVALID', {
    doing: 'reading the address of the database',
    why: 'it is no URL such as postgres://trueup@db.example.org/trueup',
    next: 'Name host and database; the password may stand in PGPASSWORD or in ~/.pgpass.',
  })
}

/**
 * Opens a PostgreSQL database for this process and brings the schema up to date. Errors: CONFIG_INVALID,
 * DATABASE_UNREACHABLE, DATA_LOCKED (another server uses it), DATA_UNWRITABLE, DATA_NEWER.
 */
export async function openPostgres(url: string, onError: (error: Error) => void): Promise<OpenPostgres> {
  assertPostgresUrl(url)
  const place = placeOf(url)
  const doing = `opening ${place}`
  const serving = await serve(url)
  const pool = openPool(url, CONNECTIONS, onError)
  const db = new Kysely<Database>({
    dialect: postgresDialect({ pool, place, standing: serving }),
    plugins: [new HandleEmptyInListsPlugin({ strategy: replaceWithNoncontingentExpression })],
  })
  const close = async (): Promise<void> => {
    await db.destroy()
    await serving.release()
  }
  try {
    await refuseOld(db, place)
    const applied = await migrate(db, { name: 'postgres', bytes: 'bytea' })
    await db.transaction().execute(orderByBytes)
    const server = await serving.enter(db)
    return { db, applied, server, lost: serving.lost, close }
  } catch (error) {
    await close()
    throw asPostgresError(error, doing, place)
  }
}

async function refuseOld(db: Kysely<Database>, place: string): Promise<void> {
  const { rows } = await sql<{ number: number }>`select current_setting('server_version_num')::int as "number"`.execute(
    db,
  )
  const version = Math.floor((rows[0]?.number ?? 0) / 10_000)
  if (version >= OLDEST) return
  throw new TrueupError('CONFIG_INVALID', {
    doing: `opening ${place}`,
    why: `it is PostgreSQL ${version}, and ${OLDEST} or newer is needed`,
    next: 'Upgrade it, or name another.',
  })
}
