import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../lib/clock.ts'
import { newId } from '../lib/ids.ts'
import { withRepository } from './changes/change-owner.ts'
import { bindContext, type Change, type ChangeListener, transactionScope } from './database/context.ts'
import type { Database } from './database/schema.ts'

/** Name of the database file in a data directory. */
export const DATABASE_FILE = 'trueup.db'
/** Directory of the hosted Git repositories in a data directory, one directory each. */
export const REPOSITORIES_DIRECTORY = 'repositories'

/** Hints of what has changed, told after each commit, in commit order. A listener that throws is logged; the others are told all the same. */
export interface ChangeFeed {
  /** Returns the function that ends the subscription. */
  subscribe(listener: ChangeListener): () => void
}

/** An open store. Queries are functions that take `db` or a transaction first. */
export interface Store {
  readonly dialect: 'sqlite' | 'postgres'
  readonly clock: Clock
  /** Names this process to others that use the database: a new id at every start. */
  readonly server: string
  /**
   * Aborted, with DATA_LOCKED as its reason, once another server has taken the database over: this one can write nothing any
   * more and has to end. Never where the database is embedded, whose lock nobody can take.
   */
  readonly lost: AbortSignal
  /** The embedded database's file, which a thread of its own can read; undefined where it is none. */
  readonly file?: string
  /**
   * For reads and single-statement writes. Reads wait for nobody and see what was committed. Never inside `transaction`: a
   * write would wait for the transaction that waits for it, and a read would not see what that wrote. Both are detected and
   * thrown.
   */
  readonly db: Kysely<Database>
  readonly changes: ChangeFeed
  /** Runs `work` in one transaction: all of it or nothing, durable when the promise resolves. Do no I/O inside. */
  transaction<T>(work: (tx: Transaction<Database>) => Promise<T>): Promise<T>
  /** Waits for the running transaction, closes and gives the data directory free. */
  close(): Promise<void>
}

/** The two log calls that the store needs; a pino logger is one. */
export interface StoreLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** Puts a store together from an open, migrated database; the same for every database. `close` releases what it holds. */
export function makeStore(parts: {
  db: Kysely<Database>
  dialect: Store['dialect']
  clock: Clock
  server?: string
  lost?: AbortSignal
  file?: string
  close: () => Promise<void>
  log?: StoreLog
}): Store {
  const { db, dialect, clock } = parts
  const listeners = new Set<ChangeListener>()
  const tell = (changes: readonly Change[]): void => {
    if (changes.length === 0) return
    for (const listener of listeners) {
      try {
        listener(changes)
      } catch (error) {
        parts.log?.error({ err: error }, 'a listener of store changes threw')
      }
    }
  }
  bindContext(db, { clock, note: (change) => tell([change]) })
  return {
    db,
    dialect,
    clock,
    server: parts.server ?? newId('server'),
    lost: parts.lost ?? new AbortController().signal,
    file: parts.file,
    changes: {
      subscribe(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    async transaction(work) {
      const changes = new Map<string, Change>()
      const told: Change[] = []
      const scope = { open: true }
      const result = await db.transaction().execute((tx) => {
        const note = (change: Change): void => {
          const key = `${change.topic} ${change.id}`
          const before = changes.get(key)
          const both = { ...change }
          if (before?.work) both.work = true
          if (before && !before.seen) delete both.seen
          changes.set(key, both)
        }
        bindContext(tx, { clock, note })
        return transactionScope.run(scope, async () => {
          try {
            const answer = await work(tx)
            for (const change of changes.values()) told.push(await withRepository(tx, change))
            return answer
          } finally {
            scope.open = false
          }
        })
      })
      tell(told)
      return result
    },
    close: parts.close,
  }
}
