import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import Fastify from 'fastify'
import { decodeJwt, importJWK, jwtVerify, type JWK } from 'jose'
import { pack } from 'tar-stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { TOKEN_AUDIENCE } from '../../src/domain/wire/request-proof.ts'
import { newId } from '../../src/lib/ids.ts'
import {
  CallFrame,
  CallRequest,
  EnrolRequest,
  METHODS,
  WORKER_PATHS,
  type Grant,
  type Method,
  type Params,
  type ServerEvent,
} from '../../src/worker/protocol.ts'
import { LeaseLost, peerRuns, type PeerRun, type PeerRuns } from './runs.ts'

/** What may go wrong, to be switched on and off while the peer runs. */
export interface Faults {
  /** The next call of this method is done, and the connection cut before its answer. */
  cutBeforeAnswer?: Method
  /** The next call of this method is not done, and the connection cut. */
  cutBeforeCall?: Method
  /** How another version of the server says it. */
  answers?: ((method: Method, result: unknown) => unknown) | undefined
  /** Every answer is sent twice. */
  twice?: boolean
  /** Upgrades are refused with this HTTP status. */
  refuseSocket?: number
  /** Nothing is answered at all: the network is gone. */
  silent?: boolean
}

/** A server side of the worker protocol for tests: real HTTP, WebSocket, signatures and tars; runs in memory. */
export interface WorkerPeer {
  url: string
  enrolment: string
  runs: PeerRuns['all']
  faults: Faults
  /** `method` of every call, and how it came. */
  calls: { method: Method; via: 'websocket' | 'long-poll'; params: unknown }[]
  add(grant: Partial<Grant> & Pick<Grant, 'driverConfig'>, more?: Partial<PeerRun>): PeerRun
  send(event: ServerEvent): void
  cut(): void
  connections(): number
  /** Files of watched stacks, by stack id. */
  watched: Map<string, PeerRun['files']>
  close(): Promise<void>
}

export async function startPeer(): Promise<WorkerPeer> {
  const app = Fastify({ forceCloseConnections: true })
  const sockets = new WebSocketServer({ noServer: true })
  const keys = new Map<string, JWK>()
  const waiting = new Set<(events: ServerEvent[]) => void>()
  const faults: Faults = {}
  const calls: WorkerPeer['calls'] = []
  const watched: WorkerPeer['watched'] = new Map()
  const runs = peerRuns()
  const enrolment = `enrol-${randomBytes(8).toString('hex')}`

  async function workerOf(header: string | undefined): Promise<string> {
    const token = header?.replace('Bearer ', '') ?? ''
    const id = decodeJwt(token).iss ?? ''
    const key = await importJWK(keys.get(id) ?? { kty: 'OKP' }, 'EdDSA')
    await jwtVerify(token, key, { audience: TOKEN_AUDIENCE, maxTokenAge: '60s' })
    return id
  }

  function call(worker: string, method: Method, params: unknown, via: 'websocket' | 'long-poll'): unknown {
    const given = METHODS[method].params.parse(params)
    calls.push({ method, via, params: given })
    switch (method) {
      case 'hello':
        runs.holding((given as Params<'hello'>).holding)
        return { workerId: worker, heartbeatMs: 2_000, leaseMs: 6_000 }
      case 'lease':
        return runs.lease((given as Params<'lease'>).request)
      case 'heartbeat':
        return runs.heartbeat(given as Params<'heartbeat'>)
      case 'log':
        return runs.log(given as Params<'log'>)
      case 'plan':
        return runs.plan(given as Params<'plan'>)
      case 'state':
      case 'applied':
      case 'finish':
        return runs[method](given as never) ?? {}
      case 'tools':
      case 'logs':
      case 'drifted':
      case 'report':
        return {}
    }
  }

  function answer(worker: string, method: Method, params: unknown, via: 'websocket' | 'long-poll') {
    try {
      const result = call(worker, method, params, via)
      return { result: faults.answers ? faults.answers(method, result) : result }
    } catch (thrown) {
      const code = thrown instanceof LeaseLost ? 'LEASE_LOST' : 'INVALID_REQUEST'
      return { error: { code, doing: `worker call ${method}`, why: String(thrown), next: 'Stop.' } }
    }
  }

  /** True when the fault that was asked for strikes this call. */
  function strikes(fault: 'cutBeforeAnswer' | 'cutBeforeCall', method: string): boolean {
    if (faults[fault] !== method) return false
    delete faults[fault]
    return true
  }

  function serve(socket: WebSocket, worker: string): void {
    socket.on('message', (data: Buffer) => {
      if (faults.silent) return
      const { id, method, params } = CallFrame.parse(JSON.parse(data.toString('utf8')))
      if (strikes('cutBeforeCall', method)) return socket.terminate()
      const frame = JSON.stringify({ id, ...answer(worker, method as Method, params, 'websocket') })
      if (strikes('cutBeforeAnswer', method)) return socket.terminate()
      socket.send(frame)
      if (faults.twice) socket.send(frame)
    })
  }

  app.server.on('upgrade', (request, socket: Duplex, head) => {
    if (faults.refuseSocket || faults.silent) {
      return socket.end(`HTTP/1.1 ${faults.refuseSocket ?? 504} Refused\r\nConnection: close\r\n\r\n`)
    }
    workerOf(request.headers.authorization).then(
      (worker) => sockets.handleUpgrade(request, socket, head, (channel) => serve(channel, worker)),
      () => socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n'),
    )
  })

  app.post(WORKER_PATHS.enrol, async (request, reply) => {
    const body = EnrolRequest.parse(request.body)
    if (body.token !== enrolment) {
      return await reply
        .code(401)
        .send({ code: 'UNAUTHENTICATED', doing: 'enrolling', why: 'unknown token', next: 'Make one.' })
    }
    const known = [...keys].find(([, key]) => key.x === body.publicKey.x)?.[0]
    const workerId = known ?? newId('wrk')
    keys.set(workerId, body.publicKey)
    return { workerId }
  })

  app.addHook('preHandler', async (request, reply) => {
    if (faults.silent) return await new Promise(() => {})
    if (request.url === WORKER_PATHS.enrol) return
    try {
      await workerOf(request.headers.authorization)
    } catch (thrown) {
      await reply.code(401).send({ code: 'UNAUTHENTICATED', doing: 'checking', why: String(thrown), next: 'Enrol.' })
    }
  })

  app.post(WORKER_PATHS.call, async (request, reply) => {
    const { method, params } = CallRequest.parse(request.body)
    if (strikes('cutBeforeCall', method)) return request.raw.destroy()
    const { result, error } = answer(
      await workerOf(request.headers.authorization),
      method as Method,
      params,
      'long-poll',
    )
    if (strikes('cutBeforeAnswer', method)) return request.raw.destroy()
    return error ? await reply.code(409).send(error) : { result }
  })

  app.get(WORKER_PATHS.events, async (request) => {
    const wait = Number((request.query as { waitMs: string }).waitMs)
    const events = await new Promise<ServerEvent[]>((resolve) => {
      waiting.add(resolve)
      setTimeout(() => resolve([]), Math.min(wait, 5_000)).unref()
    })
    return { events }
  })

  app.get('/api/v1/worker/runs/:runId/workspace', async (request, reply) => {
    const { runId } = request.params as { runId: string }
    const run = runs.held(runId, Number((request.query as { fence: string }).fence))
    return await reply.type('application/x-tar').send(tarOf(run.files))
  })

  app.get('/api/v1/worker/watches/:stackId/workspace', async (request, reply) =>
    reply.type('application/x-tar').send(tarOf(watched.get((request.params as { stackId: string }).stackId) ?? {})),
  )

  const send = (event: ServerEvent): void => {
    for (const socket of sockets.clients) socket.send(JSON.stringify(event))
    for (const resolve of waiting) resolve([event])
    waiting.clear()
  }

  await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
    enrolment,
    runs: runs.all,
    faults,
    calls,
    watched,
    add(grant, more) {
      const run = newRun(grant, more)
      runs.all.set(run.grant.runId, run)
      send({ event: 'work' })
      return run
    },
    send,
    cut() {
      for (const socket of sockets.clients) socket.terminate()
    },
    connections: () => sockets.clients.size,
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      await app.close()
    },
  }
}

function newRun(given: Partial<Grant> & Pick<Grant, 'driverConfig'>, more: Partial<PeerRun> = {}): PeerRun {
  const runId = newId('run')
  const stack = { id: newId('stk'), repository: 'shop', environment: 'staging', name: 'web', path: 'web' }
  const grant: Grant = {
    runId,
    fence: 0,
    leaseMs: 6_000,
    kind: 'deploy',
    destroy: false,
    stack,
    driver: 'command',
    commit: 'c'.repeat(40),
    desiredDigest: 'sha256:1',
    paths: ['web'],
    inputs: {},
    variables: {},
    ignore: [],
    checks: [],
    verify: [],
    timeoutMs: 280_000,
    keys: { hash: randomBytes(32).toString('base64'), plan: randomBytes(32).toString('base64') },
    codify: false,
    ...given,
  }
  const empty = { history: [], log: '', plans: [], applied: [], finished: [] }
  return {
    grant,
    files: { 'web/file': 'content\n' },
    state: 'queued',
    cancelRequested: false,
    leaseUntil: 0,
    ...empty,
    ...more,
  }
}

function tarOf(files: PeerRun['files']) {
  const tar = pack()
  for (const [name, file] of Object.entries(files)) {
    const { content, mode } = typeof file === 'string' ? { content: file, mode: 0o644 } : file
    tar.entry({ name, mode }, content)
  }
  tar.finalize()
  return tar
}
