import type { DatabaseSync } from 'node:sqlite'
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
import { turns } from '../../../lib/turns.ts'
import { transactionScope } from '../context.ts'
import { SqliteConnection } from './connection.ts'

/** The connection that writes, for one user at a time, first come first served. */
class Writer {
  readonly connection: SqliteConnection
  #last: Promise<void> = Promise.resolve()

  constructor(connection: SqliteConnection) {
    this.connection = connection
  }

  /** Resolves with what gives it free, once everybody who came before has. */
  async take(): Promise<() => void> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    return resolve
  }

  idle(): Promise<void> {
    return this.#last
  }
}

/**
 * What one user of the database holds. A transaction has the writing connection to itself, a single write for as long as it
 * takes. Reads outside of transactions wait for nobody: while a transaction is open they go to the reading connection, which
 * sees what was committed before it, and else to the writing one, whose pages are in memory.
 */
class Access implements DatabaseConnection {
  readonly #writer: Writer
  readonly #reader: SqliteConnection
  #free: (() => void) | undefined

  constructor(writer: Writer, reader: SqliteConnection) {
    this.#writer = writer
    this.#reader = reader
  }

  async begin(): Promise<void> {
    this.#free = await this.#writer.take()
    // "immediate" takes the write lock now, so that no statement in the middle can find the database busy.
    await this.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async rollback(): Promise<void> {
    // A full disk or an I/O error has rolled back already, and a second rollback would hide the reason.
    if (this.#writer.connection.inTransaction) await this.executeQuery(CompiledQuery.raw('rollback'))
  }

  end(): void {
    this.#free?.()
    this.#free = undefined
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // A loop of queries would keep sockets and timers waiting for as long as it goes on.
    if (turns.isLong) await turns.pause()
    const { connection } = this.#writer
    if (this.#free) return await connection.executeQuery(query)
    if (isRead(query)) return await (connection.inTransaction ? this.#reader : connection).executeQuery(query)
    const free = await this.#writer.take()
    try {
      return await connection.executeQuery(query)
    } finally {
      free()
    }
  }

  streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    return (this.#free ? this.#writer.connection : this.#reader).streamQuery(query)
  }
}

/** No select of SQLite's writes. One that begins with its common tables is told by Kysely's tree. */
const isRead = ({ query, sql }: CompiledQuery): boolean => query.kind === 'SelectQueryNode' || /^\s*select\b/i.test(sql)

class SqliteDriver implements Driver {
  readonly #databases: DatabaseSync[]
  readonly #writer: Writer
  readonly #reader: SqliteConnection

  constructor({ database, reading, file }: SqliteParts) {
    // The one that may write is closed last, since that tidies up the file.
    this.#databases = reading ? [reading, database] : [database]
    this.#writer = new Writer(new SqliteConnection(database, file))
    this.#reader = reading ? new SqliteConnection(reading, file) : this.#writer.connection
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<Access> {
    if (transactionScope.getStore()?.open)
      throw new Error('Store.db or Store.transaction used inside a transaction, which it would wait for: pass `tx` on')
    return new Access(this.#writer, this.#reader)
  }

  async releaseConnection(connection: Access): Promise<void> {
    connection.end()
  }

  async beginTransaction(connection: Access): Promise<void> {
    await connection.begin()
  }

  async commitTransaction(connection: Access): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: Access): Promise<void> {
    await connection.rollback()
  }

  async destroy(): Promise<void> {
    await this.#writer.idle()
    for (const database of this.#databases) database.close()
  }
}

/** Kysely's own adapter would queue users before our driver sees them, where a nested use cannot be told from a wait. */
class OneConnectionAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true
  }
}

/** What a dialect is made of. */
export interface SqliteParts {
  database: DatabaseSync
  /** Another connection to the same file, for reads while a transaction is open; they see its middle where absent. */
  reading?: DatabaseSync
  /** For error texts. */
  file: string
}

/** Kysely over open `node:sqlite` databases; `Kysely.destroy` closes them. */
export function sqliteDialect(parts: SqliteParts): Dialect {
  return {
    createDriver: () => new SqliteDriver(parts),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new OneConnectionAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
  }
}
