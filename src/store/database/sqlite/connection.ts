import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import { asStoreError } from './errors.ts'

/** More than the number of different statements of this program; beyond it the oldest is forgotten. */
const STATEMENT_CACHE = 500

/** A cached statement and whether it gives rows. */
interface Prepared {
  statement: StatementSync
  reader: boolean
}

/** Kysely's view of one open database: statements are prepared once. `file` is for error texts. */
export class SqliteConnection implements DatabaseConnection {
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
