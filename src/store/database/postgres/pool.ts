import pg from 'pg'

/** OIDs of types whose values `pg` gives as text, since not all of them fit a number; ours are times and counts, which do. */
const AS_NUMBERS = new Set([20, 1700])

export type Pool = pg.Pool
export type Client = pg.PoolClient

/** Where a database is, for people: without user and password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `the database ${decodeURIComponent(pathname.slice(1))} at ${host || 'the local socket'}`
}

/** How every connection to the database is made. Credentials that the URL lacks come from PGPASSWORD or the file of passwords. */
export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'trueup',
    keepAlive: true,
    connectionTimeoutMillis: 20_000,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        AS_NUMBERS.has(oid) ? Number : (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
    } as pg.CustomTypesConfig,
  }
}

/** Connections to one database. `onError` hears of idle ones that broke; without a listener they would end the process. */
export function openPool(url: string, most: number, onError: (error: Error) => void): Pool {
  const pool = new pg.Pool({ ...connectionOptions(url), max: most })
  pool.on('error', onError)
  return pool
}
