import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestCluster } from './cluster.ts'

/** Bytes to and from a test cluster, until they are cut: an API server that does not answer, without ending it. */
export interface Wire {
  /** A kubeconfig that leads through the wire. */
  kubeconfig: string
  /** Breaks every connection and refuses new ones. */
  cut(): void
  mend(): void
  close(): void
}

export async function openWire(cluster: TestCluster): Promise<Wire> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((client) => {
    if (isCut) return client.destroy()
    const upstream = connect(Number(new URL(cluster.server).port), '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    }
    return client.pipe(upstream).pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as { port: number }
  const kubeconfig = join(cluster.directory, `wire-${port}`)
  const text = readFileSync(cluster.kubeconfig, 'utf8')
  writeFileSync(kubeconfig, text.replace(cluster.server, `https://127.0.0.1:${port}`), { mode: 0o600 })
  const cut = (): void => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    kubeconfig,
    cut,
    mend: () => {
      isCut = false
    },
    close: () => {
      cut()
      server.close()
    },
  }
}
