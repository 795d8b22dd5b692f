import { Agent } from 'undici'
import { TrueupError } from '../../../lib/errors/error.ts'
import { type Outcome, retry } from '../../../lib/retry.ts'
import type { ClusterAccess, Headers } from './cluster-access.ts'
import { failureOf, isStatus, type Status } from './failures.ts'

/** Times of a request. Milliseconds. */
const CONNECT_MS = 10_000
const ANSWER_MS = 60_000
const ATTEMPTS = 5
/**
 * 429 that says when to come again: nothing was done. A server with too much to do, one that has just started, a
 * definition that has just come (https://github.com/kubernetes/kubernetes/pull/124007). That may last for a minute.
 */
const BUSY_ATTEMPTS = 40
const PAUSES = { first: 200, longest: 5_000 }
const MAX_CONNECTIONS = 128

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Call {
  /** What is being done, for errors: `reading Deployment/shop/web`. */
  doing: string
  method?: Method
  /** With query. */
  path: string
  body?: string
  contentType?: string
  signal?: AbortSignal
}

export interface Answer<T> {
  status: number
  /** The object, or the server's Status where it refused. */
  body: T
}

/**
 * Speaks with one API server over kept connections. HTTP/1.1: each request then has a connection for itself, and undici's
 * HTTP/2 ends the process when the server closes a connection that watches use (8.13, 2026).
 */
export class Client {
  readonly access: ClusterAccess
  readonly #connections: Connections
  readonly #origin: string
  readonly #base: string
  readonly #warnings = new Map<string, Set<string>>()

  constructor(access: ClusterAccess, connections: Connections) {
    this.access = access
    const url = new URL(access.server)
    this.#origin = url.origin
    this.#base = url.pathname.replace(/\/$/, '')
    this.#connections = connections
  }

  /** The answer whatever its status. TARGET_UNREACHABLE where there is none, CANCELED when the signal ends it. */
  async ask<T>(call: Call): Promise<Answer<T | Status>> {
    try {
      const attempt = () => this.#once<T>(call)
      let attempts = 0
      const again = (outcome: Outcome<Answer<T | Status> & { retryAfterMs?: number }>): boolean | number =>
        (++attempts < ATTEMPTS || isBusy(outcome)) && mayTryAgain<T>(outcome)
      return await retry(attempt, { pauses: PAUSES, attempts: BUSY_ATTEMPTS, signal: call.signal, again })
    } catch (thrown) {
      if (call.signal?.aborted) throw new TrueupError('CANCELED', { doing: call.doing, why: 'the run was stopped' })
      if (thrown instanceof TrueupError) throw thrown
      throw unreachable(call.doing, this.access.server, thrown)
    }
  }

  /** The answer of a request that has to succeed. Throws what `failureOf` makes of a refusal. */
  async must<T>(call: Call): Promise<T> {
    const answer = await this.ask<T>(call)
    if (answer.status < 300) return answer.body as T
    throw failureOf(call.doing, answer.status, answer.body as Status)
  }

  /** Like `must`, but null for 404. */
  async find<T>(call: Call): Promise<T | null> {
    const answer = await this.ask<T>(call)
    if (answer.status === 404) return null
    if (answer.status < 300) return answer.body as T
    throw failureOf(call.doing, answer.status, answer.body as Status)
  }

  /** The lines of a watch as they come; ends when the server ends it. */
  async *lines(call: Call): AsyncGenerator<string> {
    const answer = await this.#request(call, this.#connections.watches)
    if (answer.statusCode !== 200) {
      const text = await answer.body.text()
      throw failureOf(call.doing, answer.statusCode, statusFrom(text, answer.statusCode))
    }
    let rest = ''
    const decoder = new TextDecoder()
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield line
    }
  }

  /**
   * What the server has warned of in answers about a path, without its query: deprecated APIs, unknown fields, what an
   * admission policy would refuse (https://kubernetes.io/blog/2020/09/03/warnings/).
   */
  warningsAt(path: string): readonly string[] {
    return [...(this.#warnings.get(path) ?? [])]
  }

  async #once<T>(call: Call): Promise<Answer<T | Status> & { retryAfterMs?: number }> {
    const answer = await this.#request(call)
    const text = await answer.body.text()
    const retryAfter = Number(answer.headers['retry-after'])
    this.#hear(call.path, answer.headers.warning)
    const body = answer.statusCode < 300 ? (JSON.parse(text) as T) : statusFrom(text, answer.statusCode)
    return { status: answer.statusCode, body, ...(retryAfter > 0 && { retryAfterMs: retryAfter * 1000 }) }
  }

  #hear(path: string, header: string | string[] | undefined): void {
    if (header === undefined) return
    const [place = ''] = path.split('?')
    const heard = this.#warnings.get(place) ?? new Set()
    for (const text of warningsIn([header].flat().join(', '))) heard.add(text)
    this.#warnings.set(place, heard)
  }

  async #request(call: Call, agent = this.#connections.requests) {
    const headers: Headers = { ...(await this.access.headers()), accept: 'application/json' }
    if (call.body !== undefined) headers['content-type'] = call.contentType ?? 'application/json'
    return agent.request({
      origin: this.#origin,
      path: this.#base + call.path,
      method: call.method ?? 'GET',
      headers,
      ...(call.body !== undefined && { body: call.body }),
      ...(call.signal && { signal: call.signal }),
    })
  }
}

/** Connections to one server as one identity; they outlive runs. */
interface Connections {
  requests: Agent
  /** A watch holds its connection for minutes: requests do not wait for it. */
  watches: Agent
}

const connections = new Map<string, Connections>()
const MAX_CLUSTERS = 256

/** A client with its own idea of who we are (a token of this run), over the connections that there are already. */
export function clientFor(access: ClusterAccess): Client {
  const known = connections.get(access.identity) ?? connect(access)
  // The least lately used ones are forgotten; their idle connections close by themselves.
  connections.delete(access.identity)
  connections.set(access.identity, known)
  if (connections.size > MAX_CLUSTERS) connections.delete(connections.keys().next().value ?? '')
  return new Client(access, known)
}

function connect({ tls }: ClusterAccess): Connections {
  const common = { connect: { ...tls, timeout: CONNECT_MS }, allowH2: false, headersTimeout: ANSWER_MS }
  return {
    requests: new Agent({ ...common, connections: MAX_CONNECTIONS, keepAliveTimeout: 20_000, bodyTimeout: ANSWER_MS }),
    watches: new Agent({ ...common, bodyTimeout: 0 }),
  }
}

/** It says when to come again, or that its storage is not there yet. */
const isBusy = (outcome: Outcome<Answer<unknown> & { retryAfterMs?: number }>): boolean =>
  outcome.ok &&
  outcome.value.status === 429 &&
  (outcome.value.retryAfterMs !== undefined ||
    /storage is \(re\)initializing/.test((outcome.value.body as Status).message ?? ''))

/**
 * Busy, starting, or etcd choosing a leader; a kept connection that the server has closed meanwhile. Other answers 500 are
 * the server's way to say that a field is unknown.
 */
function mayTryAgain<T>(outcome: Outcome<Answer<T | Status> & { retryAfterMs?: number }>): boolean | number {
  if (!outcome.ok) return /ECONNRESET|UND_ERR_SOCKET|EPIPE/.test(codeOf(outcome.thrown))
  const { status, body, retryAfterMs = 0 } = outcome.value
  if (status === 429 || status === 502 || status === 503 || status === 504) return retryAfterMs
  return status === 500 && /etcdserver|leader changed|timed? ?out/i.test((body as Status).message ?? '')
}

/** `299 - "text"`, several with commas between: RFC 7234, section 5.5. */
const warningsIn = (header: string): string[] =>
  [...header.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replaceAll(/\\(.)/g, '$1'))

function statusFrom(text: string, code: number): Status {
  try {
    const body: unknown = JSON.parse(text)
    if (isStatus(body)) return body
  } catch {
    // A proxy in between answers in its own words.
  }
  return { kind: 'Status', code, message: text.trim().slice(0, 500) || `status ${code}` }
}

function codeOf(thrown: unknown): string {
  const { code, cause } = thrown as { code?: string; cause?: { code?: string } }
  return `${code ?? ''} ${cause?.code ?? ''}`
}

function unreachable(doing: string, server: string, cause: unknown): TrueupError {
  const message = cause instanceof Error ? cause.message : String(cause)
  const nested = cause instanceof AggregateError ? cause.errors.map((one: Error) => one.message).join(', ') : ''
  return new TrueupError('TARGET_UNREACHABLE', {
    doing,
    why: `${server} does not answer: ${nested || message}`,
    next: 'Check that the API server is up, and that the worker can reach it and trusts its certificate.',
    cause,
  })
}
