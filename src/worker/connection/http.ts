import { fetch } from 'undici'
import { z } from 'zod'
import { errorFromBody, TrueupError, type ErrorBody } from '../../lib/errors/error.ts'
import { clockSkewText } from '../../domain/wire/request-proof.ts'
import type { Signer } from '../identity.ts'
import type { Route } from './route.ts'
import { CallAnswer, EnrolAnswer, WORKER_PATHS, type EnrolRequest } from '../protocol.ts'

const ErrorAnswer = CallAnswer.shape.error.unwrap()
const ERROR_BODY_BYTES = 64 * 1024

export interface HttpRequest {
  method: 'GET' | 'POST'
  path: string
  body?: unknown
  timeoutMs: number
  signal?: AbortSignal
}

/** The worker's requests to its server, signed afresh each time. */
export interface HttpClient {
  readonly server: string
  /** Node's own way where it is absent. */
  readonly route?: Route | undefined
  /** The answer with status 2xx; otherwise the server's own error, or SERVER_UNREACHABLE. */
  request(request: HttpRequest): Promise<Response>
}

export function httpClient(server: string, signer: Signer, route?: Route): HttpClient {
  return {
    server,
    route,
    async request(request) {
      const { method, path } = request
      const body = bodyOf(request)
      for (let tries = 1; ; tries++) {
        const token = await signer.token({ method, path, body })
        const answer = await send({ server, route }, request, { authorization: `Bearer ${token}` })
        if (answer.ok) return answer
        const error = await refusal(server, request, answer)
        if (tries > 1 || !learnsTime(signer, error, answer.headers.get('date'))) throw error
      }
    },
  }
}

/** How far apart two clocks are before a refusal of an older server, which says no more, is put down to them. */
const SUSPECT_MS = 5_000

/**
 * Whether a request that was refused is to be signed once more, now that the server's time is known: a wrong clock makes every
 * signature too old or too new, and what was signed before the server's start counts as used.
 * @throws CLOCK_SKEWED where the clock is too far off to work with.
 */
export function learnsTime(signer: Signer, error: TrueupError, dateHeader: string | null | undefined): boolean {
  const date = Date.parse(dateHeader ?? '')
  if (error.status !== 401 || Number.isNaN(date)) return false
  const ofTime = error.code === 'CLOCK_SKEWED' || error.code === 'REQUEST_REPLAYED'
  if (!ofTime && Math.abs(date - signer.now()) < SUSPECT_MS) return false
  if (signer.serverTime(date)) return true
  throw new TrueupError('CLOCK_SKEWED', {
    doing: 'signing a request to the server',
    why: `the clock of this host is ${clockSkewText(Date.now() - date)} of the server's`,
    cause: error,
  })
}

/** Exchanges a one-time token for a worker id. The same token with the same key gives the same id. */
export async function enrol(server: string, body: EnrolRequest, route?: Route): Promise<string> {
  const request: HttpRequest = { method: 'POST', path: WORKER_PATHS.enrol, body, timeoutMs: 30_000 }
  const answer = await send({ server, route }, request, {})
  if (!answer.ok) throw await refusal(server, request, answer)
  return parseAnswer(EnrolAnswer, await answer.json().catch(() => null), `enrolling this worker at ${server}`).workerId
}

/** The text that is signed and sent. */
const bodyOf = ({ body }: HttpRequest): string | undefined => (body === undefined ? undefined : JSON.stringify(body))

/** One request as it is, without a proof. SERVER_UNREACHABLE where nothing answers. */
export async function send(
  { server, route }: Pick<HttpClient, 'server' | 'route'>,
  request: HttpRequest,
  headers: { [name: string]: string },
): Promise<Response> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  try {
    const answer = await fetch(server + request.path, {
      ...(route && { dispatcher: route.dispatcher() }),
      method: request.method,
      headers: { ...headers, ...(request.body !== undefined && { 'content-type': 'application/json' }) },
      body: bodyOf(request),
      redirect: 'error',
      signal: request.signal ? AbortSignal.any([timeout, request.signal]) : timeout,
    })
    // Node's own declarations of fetch are those of another version of undici.
    return answer as unknown as Response
  } catch (thrown) {
    throw unreachable(server, thrown, route)
  }
}

/** `fetch` says "fetch failed" and keeps the reason in its cause, or in the cause of that. */
export function unreachable(server: string, thrown: unknown, route?: Route): TrueupError {
  if (thrown instanceof TrueupError) return thrown
  let cause = thrown
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause)
  return new TrueupError('SERVER_UNREACHABLE', {
    doing: `calling the server ${server}${route?.via ?? ''}`,
    why: why ?? 'no answer',
    next: nextAfter(why ?? ''),
    cause: thrown,
  })
}

function nextAfter(why: string): string {
  if (/certificate/i.test(why))
    return 'Name the authority of the server (--ca, `ca`), and the certificate that it asks for (--cert, `clientCertificate`).'
  if (/\b407\b/.test(why))
    return 'Name a file with user:password for the proxy (--proxy-credentials, `proxy.credentials`).'
  return 'Check --server and that the server runs; the runner keeps trying.'
}

async function refusal(server: string, request: HttpRequest, answer: Response): Promise<TrueupError> {
  const text = (await answer.text().catch(() => '')).slice(0, ERROR_BODY_BYTES)
  return refusalOf(text, answer.status, `calling ${request.method} ${server}${request.path.split('?')[0]}`)
}

/** What an answer that is no success says, whether it is the server's own or comes from something before it. */
export function refusalOf(text: string, status: number, doing: string): TrueupError {
  const parsed = ErrorAnswer.safeParse(parseJson(text))
  if (parsed.success) return errorFromBody(parsed.data as ErrorBody)
  const code = status === 401 ? 'UNAUTHENTICATED' : status === 403 ? 'FORBIDDEN' : 'SERVER_UNREACHABLE'
  return new TrueupError(code, {
    doing,
    why: `the answer is HTTP ${status} and not from a Trueup server: ${text.slice(0, 200).trim() || 'empty'}`,
    next: 'Check --server and the proxies on the way; the runner keeps trying.',
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An answer of the wrong shape means that server and worker do not speak the same version. */
export function parseAnswer<T>(schema: z.ZodType<T>, value: unknown, doing: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new TrueupError('UNAVAILABLE', {
    doing,
    why: `the answer is not of this protocol version: ${z.prettifyError(parsed.error).slice(0, 300)}`,
    next: 'Run the same version of Trueup on server and worker.',
  })
}
