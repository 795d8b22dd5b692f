/**
 * The other side of B10: agents by the thousand in one process, each with the real client's socket, or as bare `ws`
 * sockets against a bare `ws` server. Told what to do by its parent over IPC; answers once for each order.
 */
import { generateKeyPairSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { WebSocket, WebSocketServer } from 'ws'
import { keyIdOf, TOKEN_AUDIENCE } from '../../src/domain/wire/request-proof.ts'
import { PROTOCOL_VERSION } from '../../src/domain/wire/versions.ts'
import { newId } from '../../src/lib/ids.ts'
import { pauseAfter } from '../../src/lib/retry.ts'
import { VERSION } from '../../src/lib/version.ts'
import type { Connection } from '../../src/worker/connection/connection.ts'
import { openRoute, type Route } from '../../src/worker/connection/route.ts'
import { openWebSocket } from '../../src/worker/connection/websocket.ts'
import type { Signer } from '../../src/worker/identity.ts'
import type { Grant } from '../../src/worker/protocol.ts'

/** What the parent asks; each has one answer. */
export type Order =
  | { do: 'key' }
  | { do: 'connect'; url: string; workers: string[] }
  | { do: 'watch' }
  | { do: 'taken' }
  | { do: 'peer-serve' }
  | { do: 'peer-connect'; url: string; count: number }
  | { do: 'peer-dispatch'; count: number }

/** As a real agent pauses before it connects again. */
const PAUSES = { first: 500, longest: 30_000 }
/** How often a real agent asks for runs of which nobody has told, unless its server says otherwise. */
const ASK_MS = 20_000
/** Handshakes under way at a time at the first start; a storm has no such bound. */
const AT_ONCE = 100

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const connected = new Set<string>()
/** Grants by stack: when they came, milliseconds of this machine. */
let taken: { stack: string; commit: string; kind: string; at: number }[] = []
const now = (): number => performance.timeOrigin + performance.now()

function signerOf(worker: string): Signer {
  return {
    token: ({ method, path }) =>
      new SignJWT({ method, path, at: Date.now() })
        .setProtectedHeader({ alg: 'EdDSA', kid: keyIdOf(publicKey.export({ format: 'jwk' })) })
        .setIssuer(worker)
        .setAudience(TOKEN_AUDIENCE)
        .setIssuedAt()
        .setExpirationTime('45s')
        .setJti(newId('jti'))
        .sign(privateKey),
    serverTime: () => true,
    now: () => Date.now(),
  }
}

let route: Route | undefined
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
/** All agents of this process have the same way. */
const routeTo = (url: string): Route => (route ??= openRoute(url, { proxy: null }, SILENT as never))

/** One agent: connected for as long as this process lives, with an empty plan for whatever it is asked. */
async function live(url: string, worker: string): Promise<void> {
  const signer = signerOf(worker)
  for (let failures = 0; ; ) {
    let connection: Connection | undefined
    let asking: Promise<void> | undefined
    let again = false
    let asks: NodeJS.Timeout | undefined
    const ask = async (): Promise<void> => {
      while (again) {
        again = false
        const { grant } = await connection!.call('lease', { request: newId('req') })
        if (!grant) continue
        again = true
        await serve(connection!, grant)
      }
    }
    const wake = (): void => {
      again = true
      if (connection)
        asking ??= ask()
          .catch(() => {})
          .finally(() => (asking = undefined))
    }
    try {
      connection = await openWebSocket(
        { server: url, route: routeTo(url) },
        signer,
        (event) => event.event === 'work' && wake(),
      )
      const { askMs = ASK_MS } = await connection.call('hello', {
        protocol: PROTOCOL_VERSION,
        version: VERSION,
        hostname: 'bench',
        pools: [],
        slots: 1,
        holding: [],
      })
      connected.add(worker)
      asks = setInterval(wake, askMs * (0.75 + Math.random() / 2))
      failures = 0
      wake()
      await connection.closed
    } catch {
      // The next try comes.
    }
    clearInterval(asks)
    connection?.close()
    connected.delete(worker)
    await sleep(pauseAfter(++failures, PAUSES))
  }
}

async function serve(connection: Connection, grant: Grant): Promise<void> {
  taken.push({
    stack: `${grant.stack.environment}/${grant.stack.name}`,
    commit: grant.commit,
    kind: grant.kind,
    at: now(),
  })
  const { runId, fence } = grant
  await connection.call('state', { runId, fence, state: 'preparing' })
  await connection.call('state', { runId, fence, state: 'planning' })
  const coverage = { checked: 1, unchecked: [] }
  const plan = { changes: [], coverage, outputs: {}, findings: [], toolVersions: {} }
  await connection.call('plan', { runId, fence, plan, checks: [] })
}

async function untilConnected(count: () => number, wanted: number): Promise<void> {
  while (count() < wanted) await sleep(20)
}

async function connectAll(url: string, workers: readonly string[]): Promise<void> {
  for (let at = 0; at < workers.length; at += AT_ONCE) {
    for (const worker of workers.slice(at, at + AT_ONCE)) void live(url, worker)
    await untilConnected(() => connected.size, Math.min(at + AT_ONCE, workers.length))
  }
}

const peers: WebSocket[] = []
let hears = (): void => {}

async function peerServe(): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  const sockets: WebSocket[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    // One word from a client is for the client that it names: a job.
    socket.on('message', (data: Buffer) => sockets[Number(data.toString())]?.send('work'))
  })
  await new Promise<void>((resolve) => server.once('listening', resolve))
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}`
}

async function peerConnect(url: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(AT_ONCE, count - at) }, async () => {
        const socket = new WebSocket(url, { perMessageDeflate: false })
        peers.push(socket)
        socket.on('message', () => hears())
        await new Promise<void>((resolve) => socket.once('open', resolve))
      }),
    )
}

async function peerDispatch(count: number): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const to = Math.floor(Math.random() * peers.length)
    // Sockets are numbered by when they came to the server, which is not the order here: whoever hears it, has it.
    const heard = new Promise<void>((resolve) => (hears = resolve))
    const began = performance.now()
    peers[0]!.send(String(to))
    await heard
    times.push(performance.now() - began)
    await sleep(20)
  }
  return times
}

async function answer(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'key':
      return publicKey.export({ format: 'jwk' })
    case 'connect':
      return await connectAll(order.url, order.workers)
    case 'watch':
      return connected.size
    case 'taken': {
      const all = taken
      taken = []
      return all
    }
    case 'peer-serve':
      return await peerServe()
    case 'peer-connect':
      return await peerConnect(order.url, order.count)
    case 'peer-dispatch':
      return await peerDispatch(order.count)
  }
}

process.on('message', (order: Order) => void answer(order).then((said) => process.send!({ said: said ?? null })))
process.once('disconnect', () => process.exit())
