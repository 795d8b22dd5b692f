import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request as ask } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TestCluster } from './cluster.ts'

/** A real API server behind one that has not filled its caches yet: it answers some requests itself. */
export interface BusyServer {
  /** A kubeconfig that leads through it. */
  kubeconfig: string
  /** How often a request was refused. */
  refused(): number
  close(): void
}

/** What a request is answered instead of being passed on; null passes it on. */
export type Refusal = { message: string; retryAfter?: string } | null

/** `refuse` is asked for each request, with how many of its path came before. */
export async function openBusyServer(
  cluster: TestCluster,
  refuse: (path: string, before: number) => Refusal,
): Promise<BusyServer> {
  const asked = new Map<string, number>()
  let refused = 0
  const [key, cert] = ['server.key', 'server.crt'].map((name) => readFileSync(join(cluster.directory, name)))
  const server = createServer({ key, cert }, (request, response) => {
    const [path = ''] = (request.url ?? '').split('?')
    const before = asked.get(path) ?? 0
    asked.set(path, before + 1)
    const refusal = refuse(path, before)
    if (refusal !== null) {
      refused++
      const { message, retryAfter } = refusal
      const body = {
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        reason: 'TooManyRequests',
        code: 429,
        message,
      }
      response.writeHead(429, { 'content-type': 'application/json', ...(retryAfter && { 'retry-after': retryAfter }) })
      return response.end(JSON.stringify(body))
    }
    const { method, headers, url } = request
    const onward = ask(`${cluster.server}${url}`, { method, headers, ca: cluster.ca }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    return request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const { port } = server.address() as AddressInfo
  const kubeconfig = join(cluster.directory, `busy-${port}`)
  const text = readFileSync(cluster.kubeconfig, 'utf8')
  writeFileSync(kubeconfig, text.replace(cluster.server, `https://127.0.0.1:${port}`), { mode: 0o600 })
  return {
    kubeconfig,
    refused: () => refused,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
