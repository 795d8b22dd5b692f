import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely'
import type pg from 'pg'
import { turns } from '../../../lib/turns.ts'
import { transactionScope } from '../context.ts'
import { asPostgresError } from './errors.ts'
import { asParameter } from './parameters.ts'
import type { Client, Pool } from './pool.ts'
import { LOCKS } from './locks.ts'
import type { Standing } from './serving.ts'

/**
 * One writer at a time, as with the embedded database: what a transaction has read is what is there until its end, two never
 * wait for each other, and merges keep their order. The lock goes with the transaction, also through a pooler and when the
 * connection dies. A transaction does no I/O; one that idles or waits for a minute is stuck, and its server says so.
 */
const BEGIN = [
  'begin',
  `set local lock_timeout = '60s'`,
  `set local idle_in_transaction_session_timeout = '60s'`,
  `select pg_advisory_xact_lock(${LOCKS.family}, ${LOCKS.writing})`,
].join(';')

const SAVEPOINT = 'savepoint "write"'

export interface PostgresParts {
  pool: Pool
  /** For error texts. */
  place: string
  standing: Standing
}

/** What one user of the database holds: a connection for as long as a transaction takes, and else none. */
class Access implements DatabaseConnection {
  readonly #parts: PostgresParts
  #client: Client | undefined
  #broken: Error | undefined
  #hasSavepoint = false

  constructor(parts: PostgresParts) {
    this.#parts = parts
  }

  async begin(): Promise<void> {
    const { standing } = this.#parts
    standing.assertHeld()
    const client = await this.#told(this.#parts.pool.connect())
    this.#client = client
    this.#broken = undefined
    this.#hasSavepoint = false
    // A connection that breaks while nobody asks it something tells by an event, which would end the process.
    client.on('error', this.#break)
    try {
      // pg gives a list of answers, one for each statement.
      const answers = (await this.#told(client.query(BEGIN + standing.question()))) as unknown as pg.QueryResult[]
      standing.heard(answers.at(-1))
    } catch (error) {
      // Begun and spoiled: nobody else may be given this connection.
      this.#break(error as Error)
      throw error
    }
  }

  async commit(): Promise<void> {
    const { command } = await this.#told(this.#held().query('commit'))
    // After an error that somebody caught, PostgreSQL rolls back at `commit`, and only says so by this word.
    if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command}: an error inside of it was caught`)
  }

  async rollback(): Promise<void> {
    // What never began or broke has rolled back already, and a second error would hide the reason.
    if (this.#broken === undefined) await this.#client?.query('rollback').catch(this.#break)
  }

  end(): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    client.off('error', this.#break)
    client.release(this.#broken)
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // A loop of queries would keep sockets and timers waiting for as long as it goes on.
    if (turns.isLong) await turns.pause()
    if (this.#client !== undefined) return await (mayConflict(query) ? this.#guarded<R>(query) : this.#run<R>(query))
    if (isRead(query)) return await this.#run(query)
    try {
      await this.begin()
      const result = await this.#run<R>(query)
      await this.commit()
      return result
    } catch (error) {
      await this.rollback()
      throw error
    } finally {
      this.end()
    }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    yield await this.executeQuery<R>(query)
  }

  /** An error spoils a transaction of PostgreSQL as a whole; whoever asks for a key that is taken may go on with others. */
  async #guarded<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const client = this.#held()
    // The one before goes with the same round trip; the last one goes with the transaction.
    await this.#told(client.query(this.#hasSavepoint ? `release savepoint "write"; ${SAVEPOINT}` : SAVEPOINT))
    this.#hasSavepoint = true
    try {
      return await this.#run<R>(query)
    } catch (error) {
      if (this.#broken === undefined) await client.query('rollback to savepoint "write"').catch(this.#break)
      throw error
    }
  }

  async #run<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const from = this.#client ?? this.#parts.pool
    const { rows, rowCount, command } = await this.#told(
      from.query<R & object>({ text: sql, values: parameters.map(asParameter) }),
    )
    return { rows, ...(WRITES.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) }
  }

  async #told<T>(answer: Promise<T>): Promise<T> {
    return await answer.catch((thrown: unknown) => {
      throw asPostgresError(thrown, 'using the database', this.#parts.place)
    })
  }

  #held(): Client {
    if (this.#client === undefined) throw new Error('no transaction is open on this connection')
    return this.#client
  }

  readonly #break = (error: Error): void => {
    this.#broken ??= error
  }
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])
const isRead = ({ query, sql }: CompiledQuery): boolean => query.kind === 'SelectQueryNode' || /^\s*select\b/i.test(sql)
const mayConflict = ({ query }: CompiledQuery): boolean =>
  query.kind === 'InsertQueryNode' || query.kind === 'UpdateQueryNode'

class PostgresDriver implements Driver {
  readonly #parts: PostgresParts

  constructor(parts: PostgresParts) {
    this.#parts = parts
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<Access> {
    if (transactionScope.getStore()?.open)
      throw new Error('Store.db or Store.transaction used inside a transaction, which it would wait for: pass `tx` on')
    return new Access(this.#parts)
  }

  async releaseConnection(connection: Access): Promise<void> {
    connection.end()
  }

  async beginTransaction(connection: Access): Promise<void> {
    await connection.begin()
  }

  async commitTransaction(connection: Access): Promise<void> {
    await connection.commit()
  }

  async rollbackTransaction(connection: Access): Promise<void> {
    await connection.rollback()
  }

  async destroy(): Promise<void> {
    await this.#parts.pool.end()
  }
}

/** Kysely's dialect for PostgreSQL, with the rules of our store. */
export function postgresDialect(parts: PostgresParts): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PostgresDriver(parts),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}
