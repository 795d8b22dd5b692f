import { randomUUID } from 'node:crypto'
import { z, type ZodType } from 'zod'
import { errorFromBody, TrueupError, type ErrorBody } from '../lib/errors/error.ts'
import { retry } from '../lib/retry.ts'
import type { Connection } from './settings.ts'

export type Query = { [name: string]: string | number | boolean | undefined }

/** The public API over HTTP. Answers are checked against the schema that the server's routes declare. */
export interface Client {
  readonly connection: Connection
  get<T>(path: string, answer: ZodType<T>, query?: Query): Promise<T>
  /** Every page of a list, one item after the other. */
  all<T>(path: string, item: ZodType<T>, query?: Query): AsyncGenerator<T>
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, answer: ZodType<T>, body?: unknown): Promise<T>
  /** The raw answer of a write that streams its result; not repeated. */
  download(method: 'POST', path: string): Promise<Response>
  /** The raw answer of a GET, for downloads and event streams. */
  open(
    path: string,
    options?: { query?: Query; headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>
}

/** Answers longer than this are refused, so that a broken server cannot fill the memory. Downloads use `open`. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const ATTEMPTS = 4
const PAUSES = { first: 300, longest: 2_000 }

const WireError = z.object({
  code: z.string(),
  doing: z.string(),
  why: z.string(),
  next: z.string(),
  details: z.record(z.string(), z.json()).optional(),
})

/** `signal`: ends requests under way, which then throw CANCELED. */
export function createClient(connection: Connection, { signal }: { signal?: AbortSignal } = {}): Client {
  const request = async (method: string, path: string, init: RequestInit, query?: Query): Promise<Response> => {
    const url = new URL(`${connection.url}${path}`)
    for (const [name, value] of Object.entries(query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value))
    const headers = new Headers(init.headers)
    headers.set('user-agent', 'trueup-cli')
    if (connection.token) headers.set('authorization', `Bearer ${connection.token}`)
    const response = await fetchWithRetry(
      url,
      { ...init, method, headers, signal: both(signal, init.signal) },
      connection,
    )
    if (!response.ok) throw await errorOf(response, `${method} ${url.pathname}`, connection)
    return response
  }
  const client: Client = {
    connection,
    async get(path, answer, query) {
      return parseAnswer(await request('GET', path, {}, query), answer, path)
    },
    async *all(path, item, query) {
      const page = z.object({ items: z.array(item), next: z.string().nullable() })
      let cursor: string | undefined
      do {
        const { items, next } = await client.get(path, page, { limit: 200, ...query, cursor })
        yield* items
        cursor = next ?? undefined
      } while (cursor !== undefined)
    },
    async send(method, path, answer, body) {
      // One key for all attempts: a repeat after a lost answer gives the first answer again, never a second effect.
      const headers: Record<string, string> = { 'idempotency-key': randomUUID() }
      if (body !== undefined) headers['content-type'] = 'application/json'
      return parseAnswer(
        await request(method, path, { headers, body: body === undefined ? undefined : JSON.stringify(body) }),
        answer,
        path,
      )
    },
    download: (method, path) => request(method, path, {}),
    open: (path, options = {}) =>
      request('GET', path, { headers: options.headers, signal: options.signal }, options.query),
  }
  return client
}

async function fetchWithRetry(url: URL, init: RequestInit, connection: Connection): Promise<Response> {
  try {
    return await retry(() => fetch(url, { redirect: 'error', ...init }), {
      pauses: PAUSES,
      attempts: ATTEMPTS,
      signal: init.signal ?? undefined,
      again: (outcome) => !outcome.ok || outcome.value.status === 503 || isBusy(outcome.value),
      onAgain: (outcome) => (outcome.ok ? outcome.value.body?.cancel() : undefined),
    })
  } catch (error) {
    throw init.signal?.aborted ? interrupted(connection, error) : unreachable(connection, error)
  }
}

/** Too many of this person wait at the server; a password that is guessed too often says minutes and is not repeated. */
const isBusy = ({ status, headers }: Response): boolean => status === 429 && Number(headers.get('retry-after')) <= 1

const interrupted = (connection: Connection, cause: unknown): TrueupError =>
  new TrueupError('CANCELED', {
    doing: `asking ${connection.url}`,
    why: 'it was interrupted',
    next: 'The server may have done it all the same: look before you repeat it.',
    cause,
  })

function both(a: AbortSignal | null | undefined, b: AbortSignal | null | undefined): AbortSignal | null {
  return a && b ? AbortSignal.any([a, b]) : (a ?? b ?? null)
}

/** How OpenSSL says that nobody vouches for a certificate. */
const CERTIFICATE = /CERT|UNABLE_TO_VERIFY|SELF_SIGNED/

function unreachable(connection: Connection, error: unknown): TrueupError {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined
  const why =
    code === 'ECONNREFUSED'
      ? 'nothing listens there'
      : code === 'ENOTFOUND'
        ? 'there is no host of that name'
        : code !== undefined && /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$|^EPROTO$/.test(code)
          ? 'what listens there speaks HTTP and not HTTPS'
          : code !== undefined && CERTIFICATE.test(code)
            ? `its certificate is not trusted (${code}): name its authority in NODE_EXTRA_CA_CERTS`
            : cause instanceof Error
              ? cause.message
              : String(error)
  return new TrueupError('SERVER_UNREACHABLE', { doing: `connecting to ${connection.url}`, why, cause: error })
}

async function errorOf(response: Response, doing: string, connection: Connection): Promise<TrueupError> {
  const text = await response.text().catch(() => '')
  const parsed = WireError.safeParse(safeJson(text))
  if (parsed.success) {
    const error = errorFromBody(parsed.data as ErrorBody)
    if (error.code !== 'UNAUTHENTICATED' || connection.token === null) return error
    return new TrueupError('UNAUTHENTICATED', {
      ...error.text,
      why: `${error.text.why} (the token came from ${connection.source === 'environment' ? 'TRUEUP_TOKEN' : `the ${connection.source}`})`,
    })
  }
  return new TrueupError('SERVER_UNREACHABLE', {
    doing,
    why: `${connection.url} answered ${response.status} and not as a Trueup server does`,
    next: 'Check that TRUEUP_URL is the address of Trueup itself and that no proxy answers in its place.',
  })
}

/** The rest of an answer; a connection that breaks off is the server's fault, never a wrong answer. */
async function textOf(response: Response): Promise<string> {
  return await response.text().catch((cause: unknown) => {
    const doing = `reading the answer of ${response.url}`
    if (cause instanceof DOMException && cause.name === 'AbortError')
      throw new TrueupError('CANCELED', { doing, why: 'it was interrupted', cause })
    throw new TrueupError('SERVER_UNREACHABLE', { doing, why: 'the connection broke off', cause })
  })
}

async function parseAnswer<T>(response: Response, answer: ZodType<T>, path: string): Promise<T> {
  const length = Number(response.headers.get('content-length') ?? 0)
  if (length > MAX_ANSWER_BYTES) {
    throw new TrueupError('TOO_LARGE', { doing: `reading ${path}`, why: `the answer has ${length} bytes` })
  }
  const parsed = answer.safeParse(response.status === 204 ? null : safeJson(await textOf(response)))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new TrueupError('INTERNAL', {
    doing: `reading the answer to ${path}`,
    why: `${issue?.path.join('.') || 'answer'}: ${issue?.message ?? 'unknown shape'}`,
    next: 'Use a CLI of the same version as the server (`trueup version`).',
  })
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
