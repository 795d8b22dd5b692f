import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type { WorkerProof } from '../../domain/wire/request-proof.ts'
import { CallFrame, MAX_FRAME_BYTES, WORKER_PATHS, type ServerEvent } from '../../domain/wire/worker-protocol.ts'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { VERSION } from '../../lib/version.ts'
import type { App } from '../auth/http-types.ts'
import type { ServerParts } from '../parts.ts'
import type { WorkerApi } from '../../engine/worker/worker-api.ts'
import { dispatch } from './dispatch.ts'
import type { WorkerIdentity } from './identity.ts'

/** Calls of one worker that are being answered at a time; above that its socket is not read. */
const MAX_CALLS = 64
const MAX_UNSENT_BYTES = 8 * 1024 * 1024
const PING_MS = 15_000

/** Serves the worker protocol over WebSocket on the app's own server. Anything else that asks for an upgrade is refused. */
export function acceptWorkerSockets(
  app: App,
  { engine, metrics, logger }: Pick<ServerParts, 'engine' | 'metrics' | 'logger'>,
  identity: WorkerIdentity,
): void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: true,
  })
  const greetings = newestGreetings()
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    if (request.url?.split('?')[0] !== WORKER_PATHS.socket) return refuse(socket, 404, 'nothing is upgraded here')
    const { headers, method = 'GET', url: path = '' } = request
    identity.verify({ authorization: headers.authorization, method, path }).then(
      (proof) =>
        sockets.handleUpgrade(request, socket, head, (channel) => {
          metrics.workersConnected.inc()
          channel.once('close', () => metrics.workersConnected.dec())
          serveWorker(channel, proof, { api: engine.worker, identity, logger, greets: greetings(proof.workerId) })
        }),
      (error: unknown) => refuseWith(socket, asTrueupError(error, 'opening a worker socket')),
    )
  }
  app.server.on('upgrade', onUpgrade)
  // Before the server waits for its connections: an open socket would keep it waiting for ever.
  app.addHook('preClose', async () => {
    app.server.off('upgrade', onUpgrade)
    for (const channel of sockets.clients) channel.close(1001, 'the server stops')
    const late = setTimeout(() => {
      for (const channel of sockets.clients) channel.terminate()
    }, 2000)
    await new Promise<void>((resolve) => sockets.close(() => resolve()))
    clearTimeout(late)
  })
}

interface Serving {
  api: WorkerApi
  identity: WorkerIdentity
  logger: Logger
  /** Asked at each hello: false where a newer socket of the worker has greeted before. */
  greets: () => boolean
}

/**
 * A hello says what a worker holds, and what it does not name goes back to the queue. One that was held up on a connection
 * which the worker has left since must not be taken for what is so now.
 */
function newestGreetings(): (workerId: string) => () => boolean {
  const newest = new Map<string, number>()
  let opened = 0
  return (workerId) => {
    const own = ++opened
    return () => {
      if (own < (newest.get(workerId) ?? 0)) return false
      newest.set(workerId, own)
      return true
    }
  }
}

/** One worker's channel: answers calls as they finish, sends events, and ends only itself: on a bad frame, when revoked. */
function serveWorker(channel: WebSocket, proof: WorkerProof, { api, identity, logger, greets }: Serving): void {
  const { workerId } = proof
  let calls = 0
  let alive = true
  let asked = false
  const send = (frame: object): void => {
    if (channel.readyState !== channel.OPEN) return
    if (channel.bufferedAmount > MAX_UNSENT_BYTES) {
      // It does not read: what it misses is repeated after it has connected again.
      channel.terminate()
      return
    }
    channel.send(JSON.stringify(frame))
  }
  const answer = async (data: RawData): Promise<void> => {
    const heard = frameIn(data)
    if (!heard) return channel.close(1002, 'not a JSON object')
    const parsed = CallFrame.safeParse(heard)
    if (!parsed.success) return send({ id: typeof heard['id'] === 'number' ? heard['id'] : 0, error: unknownFrame() })
    const frame = parsed.data
    if (frame.method === 'hello' && !greets()) return channel.close(1008, 'the worker has a newer connection')
    if (++calls >= MAX_CALLS) channel.pause()
    try {
      // The handshake may be long ago.
      await identity.assertTrusted(proof)
      send({ id: frame.id, result: await dispatch(api, workerId, frame.method, frame.params) })
    } catch (thrown) {
      const error = asTrueupError(thrown, `worker call "${frame.method}"`)
      if (error.code === 'INTERNAL') logger.error({ err: thrown, workerId, method: frame.method }, 'worker call failed')
      send({ id: frame.id, error: error.toJSON() })
      if (error.code === 'UNAUTHENTICATED') channel.close(1008, 'revoked')
    } finally {
      if (--calls < MAX_CALLS && channel.isPaused) channel.resume()
    }
  }
  channel.on('message', (data, isBinary) => {
    if (isBinary) channel.close(1003, 'frames are JSON text')
    else void answer(data)
  })
  // Workers ping, too: one that was heard of is asked nothing.
  const heard = (): void => {
    alive = true
  }
  channel.on('pong', heard).on('ping', heard).on('message', heard)
  channel.on('error', (error) => logger.warn({ err: error, workerId }, 'worker socket broke'))
  const ping = setInterval(() => {
    // A paused socket cannot answer: that is our doing, not its death.
    if (!alive && asked && !channel.isPaused) return channel.terminate()
    asked = !alive
    alive = false
    if (asked) channel.ping()
    identity.assertTrusted(proof).catch(() => channel.close(1008, 'revoked'))
  }, PING_MS)
  const unsubscribe = api.subscribe(
    workerId,
    (event: ServerEvent) => send(event),
    () => channel.close(1008, 'revoked'),
  )
  channel.once('close', () => {
    clearInterval(ping)
    unsubscribe()
  })
}

/** ws gives text frames as Buffer, ArrayBuffer or a list of Buffers, by its binaryType. */
function textOf(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString('utf8')
}

function frameIn(data: RawData): { [member: string]: unknown } | null {
  try {
    const frame: unknown = JSON.parse(textOf(data))
    return typeof frame === 'object' && frame !== null && !Array.isArray(frame) ? { ...frame } : null
  } catch {
    return null
  }
}

/** What a newer worker may say; it goes on without. */
const unknownFrame = (): object =>
  new TrueupError('METHOD_UNKNOWN', {
    doing: 'answering a worker',
    why: `this server (Trueup ${VERSION}) knows no such frame`,
  }).toJSON()

function refuseWith(socket: Duplex, error: TrueupError): void {
  refuse(socket, error.status, JSON.stringify(error.toJSON()))
}

function refuse(socket: Duplex, status: number, body: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ndate: ${new Date().toUTCString()}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
