import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TrueupError } from '../lib/errors/error.ts'

/** An address of the loopback, which is all that a worker listens on. */
export interface LocalAddress {
  host: string
  port: number
}

export const LOCAL_ADDRESS = /^(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/

/** `127.0.0.1:7430`, `[::1]:7430`; must fit `LOCAL_ADDRESS`. */
export function localAddress(text: string): LocalAddress {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}

const HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
}

interface Page {
  type: string
  body: string
}

export const METRICS_TYPE = 'text/plain; version=0.0.4'

/**
 * Serves a few pages that only show, to whoever is on this host.
 * @throws UNAVAILABLE where the address cannot be had; `key`: where it was named.
 */
export async function serveLocally(
  { host, port }: LocalAddress,
  key: string,
  pages: { readonly [path: string]: () => Page },
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const answer = (status: number, { type, body }: Page): void =>
      void response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }).end(body)
    const refuse = (status: number, why: string): void => answer(status, { type: 'text/plain', body: `${why}\n` })
    // A page of another site in this host's browser may have a name of its own lead here.
    const name = (request.headers.host ?? '').replace(/:\d+$/, '')
    if (!['127.0.0.1', 'localhost', '[::1]'].includes(name)) return refuse(403, 'not by this name')
    if (request.method !== 'GET') return refuse(405, 'it only shows')
    const path = request.url ?? ''
    if (path === '/healthz') return answer(200, { type: 'text/plain', body: 'ok\n' })
    if (!Object.hasOwn(pages, path)) return refuse(404, 'nothing here')
    answer(200, pages[path]!())
  })
  await listen(server, { host, port }, key)
  const bound = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound.port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server, { host, port }: LocalAddress, key: string): Promise<void> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (cause) {
    const why = (cause as Error).message
    const next = `Name another address at \`${key}\`, or leave it out.`
    throw new TrueupError('UNAVAILABLE', { doing: `listening on ${host}:${port}`, why, next, cause })
  }
}
