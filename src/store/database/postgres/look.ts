import pg from 'pg'
import type { UsedKeys } from '../keys.ts'
import { asPostgresError } from './errors.ts'
import { connectionOptions, placeOf } from './pool.ts'

/** What a look at a database says of it, without taking it from the server that may use it. */
export interface SeenDatabase extends UsedKeys {
  place: string
  /** As the server says it: `15.18`. */
  version: string
}

/** Reads a few facts and writes nothing. DATABASE_UNREACHABLE, DATA_UNWRITABLE where it does not let this user in. */
export async function lookAtDatabase(url: string): Promise<SeenDatabase> {
  const place = placeOf(url)
  const client = new pg.Client(connectionOptions(url))
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows: version } = await client.query<{ server_version: string }>('show server_version')
    const { rows } = await client.query<{ key: string; value: string }>(
      `select "key", "value" from "meta" where "key" in ('dataKeyId', 'auditKeyId')`,
    )
    const of = (key: string): string | null => rows.find((row) => row.key === key)?.value ?? null
    return {
      place,
      version: version[0]?.server_version ?? '',
      dataKeyId: of('dataKeyId'),
      auditKeyId: of('auditKeyId'),
    }
  } catch (error) {
    throw asPostgresError(error, `looking at ${place}`, place)
  } finally {
    await client.end().catch(() => {})
  }
}
