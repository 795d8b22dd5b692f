import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { WorkerProof } from '../../domain/wire/request-proof.ts'
import { MAX_FRAME_BYTES, WORKER_PATHS } from '../../domain/wire/worker-protocol.ts'
import { asTrueupError, type TrueupError } from '../../lib/errors/error.ts'
import { slices } from '../../lib/slices.ts'
import type { App } from '../auth/http-types.ts'
import type { ServerParts } from '../parts.ts'
import { type Serving, WorkerChannel } from './channel.ts'
import type { WorkerIdentity } from './identity.ts'
import { startPulse } from './pulse.ts'

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
  const serving: Serving = { api: engine.worker, identity, logger, greets: newestGreetings() }
  const pulse = startPulse(PING_MS)
  const channels = new WeakMap<WebSocket, WorkerChannel>()
  let opened = 0
  // The listeners are the same for all sockets: whoever closes over a request keeps its headers for as long as the socket lives.
  function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
    channels.get(this)?.message(data, isBinary)
  }
  function onSign(this: WebSocket): void {
    channels.get(this)?.heard()
  }
  function onError(this: WebSocket, error: Error): void {
    channels.get(this)?.broke(error)
  }
  function onClose(this: WebSocket): void {
    const channel = channels.get(this)
    metrics.workersConnected.dec()
    if (!channel) return
    channel.closed()
    pulse.remove(channel)
  }
  const serve = (socket: WebSocket, proof: WorkerProof): void => {
    metrics.workersConnected.inc()
    const channel = new WorkerChannel(socket, proof, ++opened, serving)
    channels.set(socket, channel)
    socket.on('message', onMessage).on('pong', onSign).on('ping', onSign).on('error', onError).once('close', onClose)
    pulse.add(channel)
  }
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', destroyOnError)
    if (request.url?.split('?')[0] !== WORKER_PATHS.socket) return refuse(socket, 404, 'nothing is upgraded here')
    const { headers, method = 'GET', url: path = '' } = request
    const open = (proof: WorkerProof): void =>
      sockets.handleUpgrade(request, socket, head, (channel) => {
        socket.off('error', destroyOnError)
        serve(channel, proof)
      })
    // Thousands come at once after a restart: each step of each of them is a piece of its own.
    slices.add(() => {
      if (socket.destroyed) return
      identity.verify({ authorization: headers.authorization, method, path }).then(
        (proof) => slices.add(() => open(proof)),
        (error: unknown) => refuseWith(socket, asTrueupError(error, 'opening a worker socket')),
      )
    })
  }
  app.server.on('upgrade', onUpgrade)
  // Before the server waits for its connections: an open socket would keep it waiting for ever.
  app.addHook('preClose', async () => {
    app.server.off('upgrade', onUpgrade)
    pulse.close()
    for (const channel of sockets.clients) channel.close(1001, 'the server stops')
    const late = setTimeout(() => {
      for (const channel of sockets.clients) channel.terminate()
    }, 2000)
    await new Promise<void>((resolve) => sockets.close(() => resolve()))
    clearTimeout(late)
  })
}

/**
 * A hello says what a worker holds, and what it does not name goes back to the queue. One that was held up on a connection
 * which the worker has left since must not be taken for what is so now.
 */
function newestGreetings(): Serving['greets'] {
  const newest = new Map<string, number>()
  return (workerId, opened) => {
    if (opened < (newest.get(workerId) ?? 0)) return false
    newest.set(workerId, opened)
    return true
  }
}

function destroyOnError(this: Duplex): void {
  this.destroy()
}

function refuseWith(socket: Duplex, error: TrueupError): void {
  refuse(socket, error.status, JSON.stringify(error.toJSON()))
}

function refuse(socket: Duplex, status: number, body: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ndate: ${new Date().toUTCString()}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
