import { request } from 'undici'
import { z } from 'zod'
import type { Clock } from '../../lib/clock.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { ErrorCode } from '../../lib/errors/table.ts'
import { type Outcome, retry } from '../../lib/retry.ts'
import { type Limits, limitsOf, retryAfterMs } from './limits.ts'

/** One server of a forge, and how Trueup shows itself there. */
export interface ForgeHttpOptions {
  /** What it is called in errors: `Gitea`. */
  forge: string
  /** Below which all addresses are, no slash at the end: `https://git.example.test/api/v1`. */
  api: string
  /** Of every request; a token that runs out is made anew here. */
  headers(): Promise<{ [name: string]: string }>
  clock: Clock
  /** What a refused answer says is missing; null where it does not say. */
  missing(message: string, headers: Headers): string | null
}

export interface Ask {
  /** As errors say it. */
  doing: string
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  body?: object
}

/** JSON over HTTP, with what every forge wants obeyed: limits, pages, caches. No redirect is followed. */
export interface ForgeHttp {
  /** Errors: FORGE_TOKEN, FORGE_PERMISSION, FORGE_GONE, FORGE_REFUSED, FORGE_UNREACHABLE, FORGE_ANSWER; `details.status`. */
  ask<T>(path: string, shape: z.ZodType<T>, ask: Ask): Promise<T>
  /** Null where there is none. */
  find<T>(path: string, shape: z.ZodType<T>, ask: Ask): Promise<T | null>
  /** Whether there is such a thing, of which nothing else is answered. */
  exists(path: string, ask: Ask): Promise<boolean>
  /** Every page, by the Link header. */
  pages<T>(path: string, shape: z.ZodType<T>, ask: Ask): Promise<T[]>
  /** The time by the forge's clock, milliseconds; by ours before the first answer. */
  now(): number
  /** What the forge said last of how much may still be asked; null where it does not say. */
  limits(): Limits | null
}

interface Headers {
  [name: string]: string | string[] | undefined
}

interface Answer {
  status: number
  headers: Headers
  body: unknown
}

const TIMEOUT_MS = 30_000
const MAX_BYTES = 16 * 1024 * 1024
/** A list that goes on after so many pages has no end. */
const MAX_PAGES = 500
const MAX_CACHED = 500
const PAUSES = { first: 200, longest: 5_000 }
const ATTEMPTS = 4
/** Waited for within a request; who is told to stay away longer comes back with the next look. */
const MAX_WAIT_MS = 10_000
const AGAIN = new Set([429, 500, 502, 503, 504])

export function createForgeHttp(options: ForgeHttpOptions): ForgeHttp {
  const { forge, api, clock } = options
  const cached = new Map<string, { etag: string; answer: Answer }>()
  let limits: Limits | null = null
  let awayUntil = 0
  let ahead = 0

  async function once(path: string, { method = 'GET', body }: Ask): Promise<Answer> {
    const known = method === 'GET' ? cached.get(path) : undefined
    const response = await request(`${api}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'trueup',
        ...(await options.headers()),
        ...(body && { 'content-type': 'application/json' }),
        ...(known && { 'if-none-match': known.etag }),
      },
      ...(body && { body: JSON.stringify(body) }),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      signal: AbortSignal.timeout(2 * TIMEOUT_MS),
    })
    const date = Date.parse([response.headers['date'] ?? ''].flat()[0] ?? '')
    if (Number.isFinite(date)) ahead = date - clock.now()
    limits = limitsOf(response.headers, clock.now()) ?? limits
    const text = await readBounded(response.body)
    if (response.statusCode === 304 && known) return known.answer
    const answer = { status: response.statusCode, headers: response.headers, body: parsed(text, response.statusCode) }
    const etag = response.headers['etag']
    if (method === 'GET' && answer.status === 200 && typeof etag === 'string') remember(path, { etag, answer })
    return answer
  }

  function remember(path: string, entry: { etag: string; answer: Answer }): void {
    const [oldest] = cached.keys()
    if (cached.size >= MAX_CACHED && oldest !== undefined) cached.delete(oldest)
    cached.set(path, entry)
  }

  /** What only reads is asked again; what writes only where the forge has said that it did nothing. */
  function again(method: string, outcome: Outcome<Answer>): boolean | number {
    if (!outcome.ok) return method === 'GET' || isNeverReached(outcome.thrown)
    const { status, headers: said } = outcome.value
    const asked = retryAfterMs(said, limits, clock.now())
    const isLimited = status === 429 || (status === 403 && asked > 0)
    if (isLimited) awayUntil = Math.max(awayUntil, clock.now() + asked)
    if (isLimited && asked > MAX_WAIT_MS) return false
    if (isLimited) return asked
    return method === 'GET' && AGAIN.has(status) ? Math.min(asked, MAX_WAIT_MS) : false
  }

  async function answerOf(path: string, ask: Ask): Promise<Answer> {
    const { doing, method = 'GET' } = ask
    const wait = awayUntil - clock.now()
    if (wait > MAX_WAIT_MS) throw unreachable(doing, `${forge} asks to stay away for ${Math.ceil(wait / 1000)} s`, 429)
    const answer = await retry(() => once(path, ask), {
      pauses: PAUSES,
      attempts: ATTEMPTS,
      again: (outcome) => again(method, outcome),
    }).catch((thrown: unknown) => {
      throw unreachable(doing, thrown instanceof Error ? thrown.message || thrown.name : String(thrown))
    })
    if (answer.status >= 200 && answer.status < 300) return answer
    throw refusal(doing, answer)
  }

  function refusal(doing: string, { status, headers: said, body }: Answer): TrueupError {
    const message = messageOf(body)
    const why = `${forge} answers ${status}${message ? `: ${message}` : ''}`
    if (status === 429 || (status === 403 && retryAfterMs(said, limits, clock.now()) > 0))
      return unreachable(doing, why, status)
    if (status >= 500) return unreachable(doing, why, status)
    const missing = status === 403 ? options.missing(message, said) : null
    const code: ErrorCode =
      status === 401
        ? 'FORGE_TOKEN'
        : status === 403
          ? 'FORGE_PERMISSION'
          : status === 404 || status === 410 || (status >= 300 && status < 400)
            ? 'FORGE_GONE'
            : 'FORGE_REFUSED'
    const details = { status, ...(missing !== null && { missing }) }
    return new TrueupError(code, { doing, why: missing === null ? why : `${why} (missing: ${missing})`, details })
  }

  const shaped = <T>(shape: z.ZodType<T>, { body }: Answer, doing: string): T => {
    const result = shape.safeParse(body)
    if (result.success) return result.data
    const why = `what ${forge} answers is not as documented: ${z.prettifyError(result.error).slice(0, 300)}`
    throw new TrueupError('FORGE_ANSWER', { doing, why })
  }

  return {
    ask: async (path, shape, ask) => shaped(shape, await answerOf(path, ask), ask.doing),
    async find(path, shape, ask) {
      try {
        return shaped(shape, await answerOf(path, ask), ask.doing)
      } catch (error) {
        if (error instanceof TrueupError && error.code === 'FORGE_GONE') return null
        throw error
      }
    },
    exists: async (path, ask) =>
      await answerOf(path, ask).then(
        () => true,
        (error: unknown) => {
          if (error instanceof TrueupError && error.code === 'FORGE_GONE') return false
          throw error
        },
      ),
    async pages<T>(path: string, shape: z.ZodType<T>, ask: Ask): Promise<T[]> {
      const all: T[] = []
      let next: string | null = path
      for (let page = 0; next !== null; page++) {
        if (page === MAX_PAGES)
          throw new TrueupError('TOO_LARGE', { doing: ask.doing, why: `it has more than ${MAX_PAGES} pages` })
        const answer: Answer = await answerOf(next, ask)
        all.push(...shaped(z.array(shape), answer, ask.doing))
        next = nextPage(answer, path)
      }
      return all
    },
    now: () => clock.now() + ahead,
    limits: () => limits,
  }
}

/**
 * The next page, from the Link header (RFC 8288). Only its query counts: a forge behind a proxy may name another host, and
 * the token goes to none but our own.
 */
function nextPage({ headers }: Answer, path: string): string | null {
  const link = [headers['link'] ?? ''].flat().join(',')
  const target = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1]
  const query = target?.includes('?') ? target.slice(target.indexOf('?')) : null
  return query === null ? null : path.replace(/\?.*$/, '') + query
}

const unreachable = (doing: string, why: string, status?: number): TrueupError =>
  new TrueupError('FORGE_UNREACHABLE', { doing, why, ...(status !== undefined && { details: { status } }) })

/** Nothing was sent: the same request may be made again, whatever it asks for. */
const isNeverReached = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    String((thrown as NodeJS.ErrnoException).code),
  )

async function readBounded(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error(`the answer has more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** An answer that is cut off in the middle is none; what is no success may be in any language. */
function parsed(text: string, status: number): unknown {
  if (text === '') return null
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    if (status >= 200 && status < 300) throw new Error('the answer is no whole JSON', { cause })
    return { message: text.slice(0, 300) }
  }
}

const Message = z.object({ message: z.unknown(), error: z.unknown(), error_description: z.unknown() }).partial()

/** In one line, however a forge puts it: a text, several, or one for each field. */
function messageOf(body: unknown): string {
  const { message, error, error_description } = Message.safeParse(body).data ?? {}
  return [message, error, error_description].map(wordsOf).filter(Boolean).join(': ').slice(0, 500)
}

function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(wordsOf).join('; ')
  if (typeof value !== 'object' || value === null) return ''
  return Object.entries(value)
    .map(([field, its]) => `${field}: ${wordsOf(its)}`)
    .join('; ')
}
