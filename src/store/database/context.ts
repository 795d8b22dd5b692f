import { AsyncLocalStorage } from 'node:async_hooks'
import type { Kysely, Transaction } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Database } from './schema.ts'

/** First argument of every query: the whole store, or a transaction of it. Writers that touch two rows want a transaction. */
export type Queries = Kysely<Database> | Transaction<Database>

/** First argument of what must not stand alone: a transaction of the store, and nothing else. */
export type Tx = Transaction<Database>

/** What a row that changed belongs to. */
export type Topic =
  | 'repository'
  | 'ref'
  | 'mr'
  | 'stack'
  | 'run'
  | 'log'
  | 'deployment'
  | 'drift'
  | 'worker'
  | 'task'
  | 'freeze'
  | 'notice'
  | 'settings'

/** A hint that something changed, told after the commit. Never the data itself: listeners read again. */
export interface Change {
  topic: Topic
  id: string
  repositoryId?: string
  stackId?: string
  /** Of a run: it may be what a worker waits for. */
  work?: boolean
  /** Of a worker: it was heard of, and nothing else has changed. */
  seen?: boolean
}

export type ChangeListener = (changes: readonly Change[]) => void

/**
 * Marks code that runs inside a transaction, so that a use of `Store.db` there is found out. `open` turns false at the
 * end, for work that was started inside and outlives it.
 */
export const transactionScope = new AsyncLocalStorage<{ open: boolean }>()

interface QueryContext {
  clock: Clock
  note(change: Change): void
}

const contexts = new WeakMap<object, QueryContext>()

/** Ties clock and change collector to a Kysely instance; done by `openStore` and `Store.transaction` only. */
export function bindContext(queries: Queries, context: QueryContext): void {
  contexts.set(queries, context)
}

/** Milliseconds of the store's clock: the only time that queries write. */
export function nowOf(queries: Queries): number {
  return contextOf(queries).clock.now()
}

/**
 * Tells subscribers of `Store.changes`, after the commit, that something changed. Outside a transaction they are told
 * at once, so call it after the write. Nothing is told when the transaction is rolled back.
 */
export function noteChange(queries: Queries, change: Change): void {
  contextOf(queries).note(change)
}

function contextOf(queries: Queries): QueryContext {
  const context = contexts.get(queries)
  if (!context) throw new Error('this Kysely instance is neither a Store.db nor a transaction of Store.transaction')
  return context
}
