import pg from 'pg'
import { TrueupError } from '../../../lib/errors/error.ts'
import { LOCKS } from './dialect.ts'
import { asPostgresError } from './errors.ts'
import { connectionOptions, placeOf } from './pool.ts'

/** How long a server that lost its connection waits before it asks again, milliseconds. */
const AGAIN_MS = 1000

/** That this process, and no other, serves a database. */
export interface Serving {
  /** DATABASE_UNREACHABLE while the lock is not held: another server may have it now. */
  assertHeld(): void
  release(): Promise<void>
}

/**
 * Takes the database for this process, by an advisory lock that lives as long as its connection, so that it is free the
 * moment the process is gone. Where the connection breaks, nothing is written until it is held again. DATA_LOCKED where
 * another server has it; through a pooler that shares connections it cannot be held.
 */
export async function serve(url: string): Promise<Serving> {
  const place = placeOf(url)
  const doing = `taking ${place} for this server`
  let holder: pg.Client | undefined
  let isOver = false
  let timer: NodeJS.Timeout | undefined

  async function take(): Promise<void> {
    const client = new pg.Client(connectionOptions(url))
    const lost = (): void => {
      if (holder !== client) return
      holder = undefined
      again()
    }
    client.on('error', lost)
    client.on('end', lost)
    try {
      await client.connect()
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

  await take()
  return {
    assertHeld() {
      if (holder === undefined)
        throw new TrueupError('DATABASE_UNREACHABLE', { doing, why: `${place}: the connection that holds it broke` })
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
