import { lookup } from 'node:dns/promises'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Endpoint, isAllowed } from '../../../domain/sandbox/endpoint.ts'
import { isForbiddenAddress } from './addresses.ts'

const CONNECT_MS = 30_000
/** Lines about refusals that one run gets; a loop must not fill its log. */
const MOST_LINES = 200

export interface EgressOptions {
  allowed: readonly Endpoint[]
  /** One line for each decision, for the log of the run. */
  log: (line: string) => void
  /** Hears each `HOST:PORT` that was refused. */
  refused?: ((target: string) => void) | undefined
  /** Addresses that are refused whatever is allowed. */
  isForbidden?: (address: string) => boolean
}

/** The way out of a sandbox: an HTTP proxy on a Unix socket. */
export interface Egress {
  close(): Promise<void>
}

interface Verdict {
  address?: string
  why?: string
}

/**
 * Listens on a Unix socket for CONNECT and plain HTTP requests, and lets through what is allowed. Names are resolved here,
 * once, and the connection goes to the address that was judged: a name that is answered differently the next time
 * changes nothing.
 */
export async function openEgress(
  socketPath: string,
  { allowed, log, refused, isForbidden = isForbiddenAddress }: EgressOptions,
): Promise<Egress> {
  const open = new Set<Duplex>()
  const keep = <S extends Duplex>(socket: S): S => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => socket.destroy())
    return socket
  }
  let lines = 0
  const tell = (line: string): void => {
    if (++lines <= MOST_LINES) log(line)
    if (lines === MOST_LINES) log('egress: further decisions of this run are not logged')
  }
  const judge = async (host: string, port: number): Promise<Verdict> => {
    const verdict = await judged(host, port, { allowed, isForbidden })
    const shown = `${host}:${port}`
    if (verdict.why !== undefined) refused?.(shown)
    tell(
      verdict.why === undefined ? `egress: ${shown} (${verdict.address})` : `egress: ${shown} refused: ${verdict.why}`,
    )
    return verdict
  }

  const server = createServer((incoming, answer) => void forward(incoming, answer, judge))
  server.on('connection', keep)
  server.on('clientError', (_error, socket) => socket.destroy())
  server.on('connect', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    void tunnel(incoming.url ?? '', client, head)
  })
  const tunnel = async (target: string, client: Socket, head: Buffer): Promise<void> => {
    const parsed = URL.canParse(`http://${target}`) ? new URL(`http://${target}`) : null
    const [, digits] = /:(\d{1,5})$/.exec(target) ?? []
    if (!parsed || digits === undefined) return void client.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    const verdict = await judge(hostIn(parsed), Number(digits))
    if (verdict.address === undefined) return void client.end(`HTTP/1.1 403 Forbidden\r\n\r\n${verdict.why}\n`)
    const upstream = keep(connect({ host: verdict.address, port: Number(digits), timeout: CONNECT_MS }))
    upstream.once('timeout', () => upstream.destroy())
    upstream.once('connect', () => {
      upstream.setTimeout(0)
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(client).pipe(upstream)
    })
    upstream.once('close', () => client.end())
    client.once('close', () => upstream.destroy())
  }
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

const hostIn = ({ hostname }: URL): string =>
  hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase()

async function judged(
  host: string,
  port: number,
  { allowed, isForbidden }: Required<Pick<EgressOptions, 'allowed' | 'isForbidden'>>,
): Promise<Verdict> {
  if (!isAllowed(host, port, allowed)) return { why: "neither the stack's `network:` nor the worker allows it" }
  const addresses = isIP(host) ? [host] : await lookup(host, { all: true }).then(texts, () => [])
  if (addresses.length === 0) return { why: 'the name has no address' }
  // All of them: with one good address among them a name would still be a way to the others.
  const forbidden = addresses.find(isForbidden)
  if (forbidden !== undefined)
    return { why: `${forbidden} is an address of this machine, its link or a metadata service` }
  return { address: addresses[0]! }
}

const texts = (found: readonly { address: string }[]): string[] => found.map(({ address }) => address)

/** `GET http://host/path`, as a client sends it to its proxy for what is not encrypted. */
async function forward(
  incoming: IncomingMessage,
  answer: ServerResponse,
  judge: (host: string, port: number) => Promise<Verdict>,
): Promise<void> {
  const url = URL.parse(incoming.url ?? '')
  if (url?.protocol !== 'http:') return void answer.writeHead(400).end('a proxy takes absolute addresses\n')
  const port = Number(url.port || 80)
  const verdict = await judge(hostIn(url), port)
  if (verdict.address === undefined) return void answer.writeHead(403).end(`${verdict.why}\n`)
  const { 'proxy-connection': _, 'proxy-authorization': _secret, ...headers } = incoming.headers
  const outgoing = request(
    {
      host: verdict.address,
      port,
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, connection: 'close' },
      timeout: CONNECT_MS,
      agent: false,
    },
    (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    },
  )
  outgoing.once('error', () => (answer.headersSent ? answer.destroy() : answer.writeHead(502).end()))
  answer.once('close', () => outgoing.destroy())
  incoming.pipe(outgoing)
}
