import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import type { Duplex } from 'node:stream'

/** Something that listens on this machine, and can be ended with all that goes through it. */
export interface Station {
  port: number
  /** Ends what goes through it now. */
  cut(): void
  close(): Promise<void>
}

/** Ends TLS before a server on this machine, as a reverse proxy does; its options may be changed while it runs. */
export async function startTerminator(target: number, host: string, options: TlsOptions) {
  const server = createTlsServer(options, (socket) => pipeBoth(socket, connect(target, '127.0.0.1')))
  return { ...(await listen(server, host)), setCertificate: (more: TlsOptions) => server.setSecureContext(more) }
}

/** A proxy that knows CONNECT and, where credentials are given, asks for them (RFC 9110 §9.3.6, RFC 7617). */
export async function startProxy(credentials?: string): Promise<Station & { asked: string[]; refused: string[] }> {
  const asked: string[] = []
  const refused: string[] = []
  const server = createHttpServer((_request, response) => response.writeHead(405).end())
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {})
    const wanted = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
    if (wanted && request.headers['proxy-authorization'] !== wanted) {
      refused.push(request.url ?? '')
      return socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="p"\r\n\r\n')
    }
    asked.push(request.url ?? '')
    const { hostname, port } = new URL(`http://${request.url}`)
    const upstream = connect(Number(port || 80), hostname, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.write(head)
      pipeBoth(socket as Socket, upstream)
    })
    upstream.on('error', () => socket.destroy())
  })
  return { ...(await listen(server, '127.0.0.1')), asked, refused }
}

function pipeBoth(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
    from.pipe(to)
  }
}

async function listen(server: Server, host: string): Promise<Station> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
