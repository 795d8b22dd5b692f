import { closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { transactionScope } from '../context.ts'
import { asStoreError } from './errors.ts'

/** More than the number of different statements of this program; beyond it the oldest is forgotten. */
const STATEMENT_CACHE = 500
/** Milliseconds to wait for another process's lock (a backup that reads); ours is held by nobody else. */
const BUSY_TIMEOUT = 10_000

/** Opens a database file with the settings that every connection of ours has. */
export function openSqlite(file: string): DatabaseSync {
  // SQLite goes by the umask. The directory may be one that others can look into; WAL and index take this file's mode.
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file, { timeout: BUSY_TIMEOUT, enableForeignKeyConstraints: true })
  try {
    // FULL: a commit has reached the disk when it returns. WAL: readers of other processes (backup) do not block it.
    database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma journal_size_limit = 67108864')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** A cached statement and whether it gives rows. */
interface Prepared {
  statement: StatementSync
  reader: boolean
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #file: string
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: DatabaseSync, file: string) {
    this.#database = database
    this.#file = file
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { statement, reader } = this.#prepare(sql)
      const values = parameters as SQLInputValue[]
      if (reader) return { rows: statement.all(...values) as R[] }
      const { changes, lastInsertRowid } = statement.run(...values)
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
    } catch (error) {
      throw asStoreError(error, 'using the database', this.#file)
    }
  }

  async *streamQuery<R>({ sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    // Not from the cache: a statement that is being stepped must not be run by somebody else.
    const statement = this.#database.prepare(sql)
    for (const row of statement.iterate(...(parameters as SQLInputValue[]))) yield { rows: [row as R] }
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    const prepared = { statement, reader: statement.columns().length > 0 }
    this.#prepared.set(sql, prepared)
    const [oldest] = this.#prepared.keys()
    if (this.#prepared.size > STATEMENT_CACHE && oldest !== undefined) this.#prepared.delete(oldest)
    return prepared
  }
}

/** Milliseconds of uninterrupted use after which everything else of the process gets a turn. */
const TURN = 10

/**
 * A synchronous database answers within microtasks, so a loop of queries would keep sockets and timers waiting for as
 * long as it goes on. This lets the event loop turn when a turn has taken too long.
 */
class Turn {
  #began: number | undefined

  async yieldWhenLong(): Promise<void> {
    if (this.#began === undefined) {
      this.#began = performance.now()
      setImmediate(() => (this.#began = undefined))
    } else if (performance.now() - this.#began > TURN) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** One connection, handed out to one user at a time, first come first served. */
class SqliteDriver implements Driver {
  readonly #database: DatabaseSync
  readonly #connection: SqliteConnection
  readonly #turn = new Turn()
  #last: Promise<void> = Promise.resolve()
  #release: (() => void) | undefined

  constructor(database: DatabaseSync, file: string) {
    this.#database = database
    this.#connection = new SqliteConnection(database, file)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    if (transactionScope.getStore()?.open)
      throw new Error('Store.db or Store.transaction used inside a transaction, which it would wait for: pass `tx` on')
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    await this.#turn.yieldWhenLong()
    this.#release = resolve
    return this.#connection
  }

  async releaseConnection(): Promise<void> {
    this.#release?.()
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    // "immediate" takes the write lock now, so that no statement in the middle can find the database busy.
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk or an I/O error has rolled back already, and a second rollback would hide the reason.
    if (this.#connection.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async destroy(): Promise<void> {
    await this.#last
    this.#database.close()
  }
}

/** Kysely's own adapter would queue users before our driver sees them, where a nested use cannot be told from a wait. */
class OneConnectionAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** Kysely over an open `node:sqlite` database; `Kysely.destroy` closes it. `file` is for error texts. */
export function sqliteDialect(database: DatabaseSync, file: string): Dialect {
  return {
    createDriver: () => new SqliteDriver(database, file),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new OneConnectionAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}
