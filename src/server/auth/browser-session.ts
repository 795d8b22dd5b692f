import type { FastifyReply, FastifyRequest } from 'fastify'
import { TrueupError } from '../../lib/errors/error.ts'

/** A session that nobody used for this long is over. */
export const SESSION_IDLE_MS = 12 * 3_600_000
/** However busy it is, a session ends this long after its login. */
export const SESSION_LIFE_MS = 14 * 24 * 3_600_000
/** A page of another site cannot send a header of this name without asking the server first, which never allows it. */
export const CLIENT_HEADER = 'x-trueup-client'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Name of the session cookie. Cookies do not know ports, so on plain HTTP the port is in the name: two servers of one
 * machine would log each other's people out. `__Host-` makes browsers refuse it from anything but this host over TLS
 * (https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix).
 */
function cookieName(publicUrl: string): string {
  const { protocol, port } = new URL(publicUrl)
  return protocol === 'https:' ? '__Host-trueup' : `trueup-${port || '80'}`
}

export const sessionCookieOf = (request: FastifyRequest, publicUrl: string): string | null =>
  request.cookies[cookieName(publicUrl)] ?? null

export function setSessionCookie(reply: FastifyReply, publicUrl: string, token: string): void {
  void reply.setCookie(cookieName(publicUrl), token, { ...attributes(publicUrl), maxAge: SESSION_LIFE_MS / 1000 })
}

export function clearSessionCookie(reply: FastifyReply, publicUrl: string): void {
  void reply.clearCookie(cookieName(publicUrl), attributes(publicUrl))
}

/** Strict: the page itself needs no cookie, and what it then asks for comes from this very site. */
const attributes = (publicUrl: string) =>
  ({ httpOnly: true, sameSite: 'strict', path: '/', secure: publicUrl.startsWith('https:') }) as const

/**
 * Refuses a write that a browser may have been talked into by another site: it must carry our header and, as browsers
 * send it with every write, an `Origin` that is this server. FORBIDDEN otherwise.
 */
export function refuseForeignWrite(request: FastifyRequest, publicUrl: string): void {
  if (SAFE.has(request.method)) return
  const { origin } = request.headers
  const own = [new URL(publicUrl).origin, `${request.protocol}://${request.host}`]
  const why =
    request.headers[CLIENT_HEADER] === undefined
      ? `a browser session writes with the header ${CLIENT_HEADER} only`
      : origin === undefined || !own.includes(origin)
        ? `it comes from ${origin === undefined ? 'nowhere (no Origin header)' : JSON.stringify(origin.slice(0, 200))}, and this server is ${own[0]}`
        : null
  if (why === null) return
  throw new TrueupError('FORBIDDEN', {
    doing: 'checking where a write of a browser session comes from',
    why,
    next: 'Use the web application at the public address of the server (`--public-url`), or a token in place of the cookie.',
  })
}
