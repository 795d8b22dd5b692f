import { TrueupError } from '../../../lib/errors/error.ts'

/** SQLSTATE of a thrown value of `pg`, or the code of a broken connection; undefined for anything else. */
const codeOf = (thrown: unknown): string | undefined => {
  const { code } = (thrown ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

/** What `pg` throws without any code, when the connection breaks under a query. */
const BROKEN = /Connection terminated|not queryable|timeout exceeded when trying to connect|Client was closed/

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: whole classes by their first two characters. */
const UNREACHABLE: { [code: string]: string } = {
  '08': 'the connection broke',
  '57': 'it is stopping, starting, or an administrator has ended the connection',
  '55P03': 'another transaction has not ended for a minute',
  '53300': 'it has no connection left (max_connections)',
  '25P03': 'a transaction was idle for longer than the server lets it',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no way to the host',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  ENOENT: 'its socket is not there',
}
const NO_ROOM: { [code: string]: string } = { '53100': 'its disk is full', '53200': 'it is out of memory' }
const DENIED: { [code: string]: string } = {
  '28': 'it does not let this user in',
  '3D000': 'there is no such database',
  '25006': 'it is read-only',
  '42501': 'this user may not do that',
}
const CORRUPT: { [code: string]: string } = { XX001: 'its data is damaged', XX002: 'an index of it is damaged' }

const find = (reasons: { [code: string]: string }, code: string): string | undefined =>
  reasons[code] ?? reasons[code.slice(0, 2)]

/**
 * Conditions of the server as DATABASE_UNREACHABLE, NO_ROOM, DATA_UNWRITABLE or DATA_CORRUPT that name `place`; any other
 * value as it is. After DATABASE_UNREACHABLE at a commit nobody knows whether it took place.
 */
export function asPostgresError(thrown: unknown, doing: string, place: string): unknown {
  const code = codeOf(thrown)
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  const why = (reason: string): string => `${place}: ${reason}${code === undefined ? '' : ` (${said})`}`
  if (code === undefined)
    return BROKEN.test(said)
      ? new TrueupError('DATABASE_UNREACHABLE', { doing, why: why('the connection broke'), cause: thrown })
      : thrown
  const unreachable = find(UNREACHABLE, code)
  if (unreachable) return new TrueupError('DATABASE_UNREACHABLE', { doing, why: why(unreachable), cause: thrown })
  const room = find(NO_ROOM, code)
  if (room) return new TrueupError('NO_ROOM', { doing, why: why(room), cause: thrown })
  const denied = find(DENIED, code)
  if (denied) return new TrueupError('DATA_UNWRITABLE', { doing, why: why(denied), cause: thrown })
  const corrupt = find(CORRUPT, code)
  return corrupt ? new TrueupError('DATA_CORRUPT', { doing, why: why(corrupt), cause: thrown }) : thrown
}
