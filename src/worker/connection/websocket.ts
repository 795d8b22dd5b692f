import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import type { TrueupError } from '../../lib/errors/error.ts'
import type { Signer } from '../identity.ts'
import {
  AnswerFrame,
  MAX_FRAME_BYTES,
  ServerEvent,
  WORKER_PATHS,
  type Method,
  type Params,
  type Result,
} from '../protocol.ts'
import { checkParams, readAnswer, type Connection, type OnEvent } from './connection.ts'
import { type HttpClient, learnsTime, refusalOf, unreachable } from './http.ts'

const HANDSHAKE_MS = 10_000
const CALL_MS = 30_000
/** Two missed pongs end the connection: a NAT that forgot it says nothing. */
const PING_MS = 15_000
const REFUSAL_CHARS = 64 * 1024

/** The server (or a proxy before it) answers HTTP but does not let a WebSocket through. */
export class WebSocketRefused extends Error {}

interface Pending {
  settle(answer: { result?: unknown; error?: unknown }): void
  fail(reason: TrueupError): void
}

/**
 * Opens the socket.
 * @throws WebSocketRefused where long-polling may still work; SERVER_UNREACHABLE where nothing answers; UNAUTHENTICATED.
 */
export async function openWebSocket(
  { server, route }: Pick<HttpClient, 'server' | 'route'>,
  signer: Signer,
  onEvent: OnEvent,
): Promise<Connection> {
  const socket = await signedHandshake({ server, route }, signer)
  const calls = new Map<number, Pending>()
  let nextId = 1
  let heard = true
  let closing = 'the server closed the connection'

  const pings = setInterval(() => {
    if (!heard) return end('no sign of life from the server')
    heard = false
    socket.ping()
  }, PING_MS)
  const end = (reason: string) => {
    closing = reason
    socket.terminate()
  }
  socket.on('pong', () => (heard = true))
  socket.on('message', (data: Buffer) => {
    heard = true
    onFrame(data.toString('utf8'))
  })
  socket.on('error', (error) => (closing = error.message))
  const closed = new Promise<string>((resolve) => {
    socket.once('close', () => {
      clearInterval(pings)
      for (const call of calls.values()) call.fail(unreachable(server, closing, route))
      calls.clear()
      resolve(closing)
    })
  })

  socket.resume()

  function onFrame(text: string): void {
    let frame: unknown
    try {
      frame = JSON.parse(text)
    } catch {
      return end('the server sent something that is not JSON')
    }
    const answer = AnswerFrame.safeParse(frame)
    // An answer nobody waits for is a repeat, or came after its time-out.
    if (answer.success) return calls.get(answer.data.id)?.settle(answer.data)
    const event = ServerEvent.safeParse(frame)
    // An event this version does not know is a newer server's: events are hints, so it is left.
    if (event.success) onEvent(event.data)
  }

  async function call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    const checked = checkParams(method, params)
    const id = nextId++
    const answer = await new Promise<{ result?: unknown; error?: unknown }>((resolve, reject) => {
      if (socket.readyState !== WebSocket.OPEN) return reject(unreachable(server, closing, route))
      const timer = setTimeout(() => end(`no answer to ${method} within ${CALL_MS / 1000} s`), CALL_MS)
      const over = () => {
        clearTimeout(timer)
        calls.delete(id)
      }
      calls.set(id, {
        settle: (frame) => (over(), resolve(frame)),
        fail: (reason) => (over(), reject(reason)),
      })
      socket.send(JSON.stringify({ id, method, params: checked }))
    })
    return readAnswer(method, answer as never)
  }
  return { kind: 'websocket', call, closed, close: () => end('closed by this runner') }
}

async function signedHandshake(to: Pick<HttpClient, 'server' | 'route'>, signer: Signer): Promise<WebSocket> {
  for (let tries = 1; ; tries++) {
    try {
      return await handshake(to, await signer.token({ method: 'GET', path: WORKER_PATHS.socket }))
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown
      if (tries > 1 || !learnsTime(signer, thrown.error, thrown.date)) throw thrown.error
    }
  }
}

/** The server's own word against this worker. */
class Refused extends Error {
  readonly error: TrueupError
  readonly date: string | undefined

  constructor(error: TrueupError, date: string | undefined) {
    super(error.message)
    this.error = error
    this.date = date
  }
}

/** An answer instead of a socket: of the server, or of something before it that knows no WebSocket. */
async function refused(server: string, response: IncomingMessage): Promise<Error> {
  const { statusCode: status = 0, headers } = response
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) if (text.length < REFUSAL_CHARS) text += chunk
  if (![401, 403, 426].includes(status)) return new WebSocketRefused(`HTTP ${status}`)
  const error = refusalOf(text, status, `connecting to ${server}`)
  return error.code === 'SERVER_UNREACHABLE' ? new WebSocketRefused(`HTTP ${status}`) : new Refused(error, headers.date)
}

function handshake({ server, route }: Pick<HttpClient, 'server' | 'route'>, token: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(server.replace(/^http/, 'ws') + WORKER_PATHS.socket, {
      headers: { authorization: `Bearer ${token}` },
      agent: route?.agent(),
      handshakeTimeout: HANDSHAKE_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    })
    socket.once('open', () => {
      socket.removeAllListeners('error')
      // The first words of the server may lie in the same packet as its handshake: they wait until somebody listens.
      socket.pause()
      resolve(socket)
    })
    socket.once('unexpected-response', (_request, response) => {
      socket.on('error', () => {})
      const late = setTimeout(() => response.destroy(), HANDSHAKE_MS)
      void refused(server, response)
        .catch((error: Error) => new WebSocketRefused(error.message))
        .then(reject)
        .finally(() => {
          clearTimeout(late)
          socket.terminate()
        })
    })
    socket.once('error', (error: NodeJS.ErrnoException) =>
      // A system error code means that nothing is there; without one the connection stood and the handshake did not.
      reject(error.code ? unreachable(server, error, route) : new WebSocketRefused(error.message)),
    )
  })
}
