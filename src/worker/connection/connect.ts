import { agreedProtocol, disagreement } from '../../domain/wire/versions.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { pause } from '../../lib/retry.ts'
import type { Identity } from '../identity.ts'
import type { Logger } from '../logging.ts'
import type { Method, Params, Result, ServerEvent } from '../protocol.ts'
import type { Connection } from './connection.ts'
import type { HttpClient } from './http.ts'
import { openLongPoll } from './long-poll.ts'
import { openWebSocket, WebSocketRefused } from './websocket.ts'

/** Between two connections. */
const CONNECTION_PAUSES = { first: 500, longest: 30_000 }
/** Between two tries of a call. */
const CALL_PAUSES = { first: 50, longest: 5_000 }

export interface LinkOptions {
  http: HttpClient
  identity: Identity
  transport: 'auto' | 'long-poll'
  log: Logger
  /** Said first on every connection. */
  hello(): Params<'hello'>
  onWelcome(welcome: Result<'hello'>): void
  onEvent(event: ServerEvent): void
  /** The server does not know this worker (any more); true when it was enrolled anew. */
  enrolAgain(): Promise<boolean>
  /** While long-polling, how often a WebSocket is tried again. Default one minute. */
  retryWebSocketMs?: number
}

/** What the worker itself brings to a link, whoever is at its other end. */
export type LinkEnds = Pick<LinkOptions, 'log' | 'hello' | 'onWelcome' | 'onEvent'>

/** The worker's standing link: connects, reconnects, and outlives every single connection. */
export interface Link {
  /** One try on the connection that stands now; SERVER_UNREACHABLE where there is none. */
  call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>>
  /**
   * Repeats over reconnects until the server answers. All methods are idempotent, so a repeat of a call whose answer was
   * lost is safe. Rejects with the server's answer when that is not retryable, or with the signal's reason.
   */
  deliver<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>>
  /** Milliseconds since a connection stood last, or since the start where none did; 0 while one does. */
  awayMs(): number
  /** Aborted from the moment `close` is called. */
  readonly over: AbortSignal
  close(): Promise<void>
}

export function openLink(options: LinkOptions): Link {
  const { log } = options
  const over = new AbortController()
  let current: Connection | null = null
  let connected = Promise.withResolvers<void>()
  let longPoll = options.transport === 'long-poll'
  /** WebSockets that opened and broke before the first answer: a proxy that accepts them and does not carry them. */
  let mute = 0
  /** What the server sent between its socket and its welcome: the set of watches, for one. */
  const early: ServerEvent[] = []

  const running = keepConnected()
  let awaySince = performance.now()
  const awayMs = (): number => (current ? 0 : performance.now() - awaySince)
  return { call, deliver, awayMs, over: over.signal, close }

  async function keepConnected(): Promise<void> {
    let failures = 0
    while (!over.signal.aborted) {
      try {
        const connection = await connect()
        // `close` may have come while it was being opened, and had nothing to close.
        if (over.signal.aborted) connection.close()
        failures = 0
        log.info({ via: connection.kind }, 'connected')
        const retry = connection.kind === 'long-poll' ? scheduleUpgrade(connection) : undefined
        const reason = await connection.closed
        clearInterval(retry)
        if (!over.signal.aborted) log.warn({ reason }, 'connection lost')
      } catch (thrown) {
        const error = asTrueupError(thrown, 'connecting to the server')
        log.warn({ code: error.code, why: error.message, next: error.next }, 'not connected')
        if (error.code === 'UNAUTHENTICATED' && (await enrolAgain())) continue
      }
      drop()
      await pause(++failures, CONNECTION_PAUSES, over.signal)
    }
  }

  async function connect(): Promise<Connection> {
    // Before the socket opens: its first words may come in the same moment as it does.
    early.length = 0
    const connection = longPoll ? openLongPoll(options.http, onEvent) : await openPreferred()
    try {
      await welcome(connection)
      mute = 0
      return connection
    } catch (thrown) {
      connection.close()
      if (connection.kind === 'websocket' && isUnreachable(thrown) && ++mute >= 2) longPoll = true
      throw thrown
    }
  }

  async function openPreferred(): Promise<Connection> {
    try {
      return await openWebSocket(options.http, options.identity, onEvent)
    } catch (thrown) {
      if (!(thrown instanceof WebSocketRefused)) throw thrown
      log.warn({ reason: thrown.message }, 'no websocket gets through, long-polling instead')
      longPoll = true
      return openLongPoll(options.http, onEvent)
    }
  }

  async function welcome(connection: Connection): Promise<void> {
    const said = options.hello()
    const answer = await connection.call('hello', said)
    assertSpoken(said, answer)
    current = connection
    options.onWelcome(answer)
    connected.resolve()
    for (const event of early.splice(0)) options.onEvent(event)
  }

  function drop(): void {
    if (current) awaySince = performance.now()
    current = null
    // Whoever waits on the old promise is let go by `resolve` in `welcome`; a fresh one is for the next gap.
    connected.resolve()
    connected = Promise.withResolvers<void>()
  }

  function scheduleUpgrade(connection: Connection): NodeJS.Timeout | undefined {
    if (options.transport === 'long-poll') return undefined
    return setInterval(() => {
      void openWebSocket(options.http, options.identity, () => {}).then(
        (probe) => {
          probe.close()
          longPoll = false
          connection.close()
        },
        () => {},
      )
    }, options.retryWebSocketMs ?? 60_000)
  }

  function onEvent(event: ServerEvent): void {
    if (current) options.onEvent(event)
    else early.push(event)
  }

  async function enrolAgain(): Promise<boolean> {
    try {
      return await options.enrolAgain()
    } catch (thrown) {
      log.warn({ why: asTrueupError(thrown, 'enrolling').message }, 'not enrolled again')
      return false
    }
  }

  async function call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    if (!current)
      throw new TrueupError('SERVER_UNREACHABLE', { doing: `calling ${method}`, why: 'there is no connection' })
    return await current.call(method, params)
  }

  async function deliver<M extends Method>(method: M, params: Params<M>, signal?: AbortSignal): Promise<Result<M>> {
    for (let tries = 0; ; tries++) {
      signal?.throwIfAborted()
      if (!current) await raceWith(connected.promise, signal)
      try {
        return await call(method, params)
      } catch (thrown) {
        if (!asTrueupError(thrown, `calling ${method}`).retryable || over.signal.aborted) throw thrown
        const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal
        if (tries > 0 || current) await pause(tries + 1, CALL_PAUSES, ends)
        ends.throwIfAborted()
      }
    }
  }

  async function raceWith(promise: Promise<unknown>, signal?: AbortSignal): Promise<void> {
    const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal
    ends.throwIfAborted()
    const aborted = Promise.withResolvers<never>()
    const onAbort = () => aborted.reject(ends.reason)
    ends.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([promise, aborted.promise])
    } finally {
      ends.removeEventListener('abort', onAbort)
    }
  }

  async function close(): Promise<void> {
    over.abort(new TrueupError('CANCELED', { doing: 'talking to the server', why: 'this runner stops' }))
    current?.close()
    await running
  }
}

/** PROTOCOL_MISMATCH where the server has chosen a protocol that this worker does not speak. */
function assertSpoken(worker: Params<'hello'>, { protocol = 1, version = '0.1' }: Result<'hello'>): void {
  const server = { protocol, version }
  if (agreedProtocol(worker, server) === protocol) return
  throw new TrueupError('PROTOCOL_MISMATCH', { doing: 'talking to the server', ...disagreement(worker, server) })
}

const isUnreachable = (thrown: unknown): boolean =>
  thrown instanceof TrueupError && thrown.code === 'SERVER_UNREACHABLE'
