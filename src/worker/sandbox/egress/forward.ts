import { connect, createServer, type Socket } from 'node:net'
import type { Egress } from './proxy.ts'

/**
 * From a Unix socket to one fixed place: the server's own service on this machine, which a run has the credentials of. No
 * proxy is asked for loopback (Go, curl), so the port itself has to be there inside.
 */
export async function openForward(socketPath: string, { host, port }: { host: string; port: number }): Promise<Egress> {
  const open = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    open.add(socket)
    return socket.on('error', () => socket.destroy()).once('close', () => open.delete(socket))
  }
  const server = createServer((client) => {
    const upstream = keep(connect({ host: host.replace(/^\[|\]$/g, ''), port }))
    keep(client).pipe(upstream).pipe(client)
    client.once('close', () => upstream.destroy())
    upstream.once('close', () => client.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
