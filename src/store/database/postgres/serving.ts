import { hostname } from 'node:os'
import type { Kysely } from 'kysely'
import pg from 'pg'
import { TrueupError } from '../../../lib/errors/error.ts'
import { newId } from '../../../lib/ids.ts'
import { VERSION } from '../../../lib/version.ts'
import type { Database } from '../schema.ts'
import { asPostgresError } from './errors.ts'
import { LOCKS } from './locks.ts'
import { connectionOptions, placeOf } from './pool.ts'

/** How long a server that lost its connection waits before it asks again, milliseconds. */
const AGAIN_MS = 1000

/** What every transaction has to know of the right of its process to write. */
export interface Standing {
  /** DATABASE_UNREACHABLE while the lock is not held: another server may have it now. DATA_LOCKED once another one had it. */
  assertHeld(): void
  /** A statement for the begin of a transaction, behind a semicolon; nothing before `enter`. */
  question(): string
  /** Its answer: DATA_LOCKED where this process is not the server any more. */
  heard(answer: pg.QueryResult | undefined): void
}

/** That this process, and no other, serves a database. */
export interface Serving extends Standing {
  /** See `Store.lost`. */
  readonly lost: AbortSignal
  /** Writes this process down as the server, in the place of any other, and answers its id. The schema must be up to date. */
  enter(db: Kysely<Database>): Promise<string>
  release(): Promise<void>
}

/**
 * Takes the database for this process, by an advisory lock that lives as long as its connection, so that it is free the
 * moment the process is gone. Where the connection breaks, nothing is written until it is held again; and nothing ever again
 * where another server was there meanwhile: each transaction asks at its begin, behind the lock of writers, whether this
 * process is still the one that is written down. DATA_LOCKED where another server has the lock; through a pooler that shares
 * connections it cannot be held.
 */
export async function serve(url: string): Promise<Serving> {
  const place = placeOf(url)
  const doing = `taking ${place} for this server`
  const id = newId('server')
  const isWrittenDown = `select 1 from "servers" where "id" = '${id}'`
  const lost = new AbortController()
  let holder: pg.Client | undefined
  let entered = false
  let isOver = false
  let timer: NodeJS.Timeout | undefined

  async function take(): Promise<void> {
    const client = new pg.Client(connectionOptions(url))
    const broke = (): void => {
      if (holder !== client) return
      holder = undefined
      again()
    }
    client.on('error', broke)
    client.on('end', broke)
    try {
      await client.connect()
      // Asked also where the lock cannot be had: who has it may have taken the place of this process.
      if (entered && (await client.query(isWrittenDown)).rowCount === 0) lose()
      const { rows } = await client.query<{ taken: boolean }>(
        `select pg_try_advisory_lock(${LOCKS.family}, ${LOCKS.serving}) as taken`,
      )
      if (rows[0]?.taken !== true)
        throw new TrueupError('DATA_LOCKED', {
          doing,
          why: 'another server uses it',
          next: 'Stop that server, or name a database of its own for each.',
        })
      holder = client
    } catch (error) {
      await client.end().catch(() => {})
      throw asPostgresError(error, doing, place)
    }
  }
  function again(): void {
    if (!isOver) timer = setTimeout(() => void take().catch(again), AGAIN_MS)
  }
  function lose(): never {
    isOver = true
    const why = 'another server has taken it over while this one could not reach it'
    const next = 'This one ends. Start it again when the other is stopped, or leave it.'
    lost.abort(lost.signal.reason ?? new TrueupError('DATA_LOCKED', { doing: `using ${place}`, why, next }))
    throw lost.signal.reason
  }

  await take()
  return {
    lost: lost.signal,
    assertHeld() {
      lost.signal.throwIfAborted()
      if (holder === undefined)
        throw new TrueupError('DATABASE_UNREACHABLE', { doing, why: `${place}: the connection that holds it broke` })
    },
    question: () => (entered ? `;${isWrittenDown}` : ''),
    heard(answer) {
      if (entered && answer?.rowCount === 0) lose()
    },
    async enter(db) {
      await db.transaction().execute(async (tx) => {
        await tx.deleteFrom('servers').execute()
        const row = { id, host: hostname(), pid: process.pid, version: VERSION, startedAt: Date.now() }
        await tx.insertInto('servers').values(row).execute()
      })
      entered = true
      return id
    },
    async release() {
      isOver = true
      clearTimeout(timer)
      const held = holder
      holder = undefined
      await held?.end()
    },
  }
}
