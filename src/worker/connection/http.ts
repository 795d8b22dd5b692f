import { z } from 'zod'
import { errorFromBody, TrueupError, type ErrorBody } from '../../lib/errors/error.ts'
import type { Identity } from '../identity.ts'
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
  /** The answer with status 2xx; otherwise the server's own error, or SERVER_UNREACHABLE. */
  request(request: HttpRequest): Promise<Response>
}

export function httpClient(server: string, identity: Identity): HttpClient {
  const signed = async (request: HttpRequest) => {
    const answer = await send(server, request, { authorization: `Bearer ${await identity.token()}` })
    // A wrong clock makes every token too old or too new: learn the server's time and try once more.
    const date = Date.parse(answer.headers.get('date') ?? '')
    if (answer.status !== 401 || Number.isNaN(date) || Math.abs(date - identity.now()) < 5_000) return answer
    identity.serverTime(date)
    await answer.body?.cancel()
    return await send(server, request, { authorization: `Bearer ${await identity.token()}` })
  }
  return {
    server,
    async request(request) {
      const answer = await signed(request)
      if (!answer.ok) throw await refusal(server, request, answer)
      return answer
    },
  }
}

/** Exchanges a one-time token for a worker id. The same token with the same key gives the same id. */
export async function enrol(server: string, body: EnrolRequest): Promise<string> {
  const request: HttpRequest = { method: 'POST', path: WORKER_PATHS.enrol, body, timeoutMs: 30_000 }
  const answer = await send(server, request, {})
  if (!answer.ok) throw await refusal(server, request, answer)
  return parseAnswer(EnrolAnswer, await answer.json().catch(() => null), `enrolling this worker at ${server}`).workerId
}

async function send(server: string, request: HttpRequest, headers: { [name: string]: string }): Promise<Response> {
  const timeout = AbortSignal.timeout(request.timeoutMs)
  try {
    return await fetch(server + request.path, {
      method: request.method,
      headers: { ...headers, ...(request.body !== undefined && { 'content-type': 'application/json' }) },
      ...(request.body !== undefined && { body: JSON.stringify(request.body) }),
      redirect: 'error',
      signal: request.signal ? AbortSignal.any([timeout, request.signal]) : timeout,
    })
  } catch (thrown) {
    throw unreachable(server, thrown)
  }
}

/** `fetch` says "fetch failed" and keeps the reason in its cause. */
export function unreachable(server: string, thrown: unknown): TrueupError {
  if (thrown instanceof TrueupError) return thrown
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
  const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause)
  return new TrueupError('SERVER_UNREACHABLE', {
    doing: `calling the server ${server}`,
    why: why ?? 'no answer',
    next: 'Check --server and that the server runs; the runner keeps trying.',
    cause: thrown,
  })
}

async function refusal(server: string, request: HttpRequest, answer: Response): Promise<TrueupError> {
  const text = (await answer.text().catch(() => '')).slice(0, ERROR_BODY_BYTES)
  const parsed = ErrorAnswer.safeParse(parseJson(text))
  if (parsed.success) return errorFromBody(parsed.data as ErrorBody)
  const code = answer.status === 401 ? 'UNAUTHENTICATED' : answer.status === 403 ? 'FORBIDDEN' : 'SERVER_UNREACHABLE'
  return new TrueupError(code, {
    doing: `calling ${request.method} ${server}${request.path}`,
    why: `the answer is HTTP ${answer.status} and not from a Trueup server: ${text.slice(0, 200).trim() || 'empty'}`,
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
