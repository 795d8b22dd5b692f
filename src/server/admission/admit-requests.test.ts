import { once } from 'node:events'
import { connect } from 'node:net'
import fastify, { type FastifyRequest } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { App } from '../auth/http-types.ts'
import { answerErrors } from '../errors.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import type { Person } from '../testing/app.ts'
import { useServer } from '../testing/use-server.ts'
import { createAdmission, ADMISSION, type AdmissionLimits } from './admit-requests.ts'

const LIMITS: AdmissionLimits = { ...ADMISSION, atOnce: 1, waiting: 3, waitingOfOne: 2 }

/** A server whose one route answers when the test lets it; who asks stands in a header, and is found out by `whoAsks`. */
async function slowServer(limits: AdmissionLimits, whoAsks: () => Promise<void> = async () => {}) {
  const metrics: Metrics = createMetrics()
  const admission = createAdmission(metrics, limits)
  const app = fastify({ forceCloseConnections: true, serverFactory: admission.serverFactory }) as unknown as App
  const begun: (() => void)[] = []
  app.decorateRequest('principal', null)
  answerErrors(app)
  admission.attach(app)
  app.addHook('onRequest', async (request) => {
    if (request.url.startsWith('/api/')) await whoAsks()
    request.principal = { userId: String(request.headers['x-user']) } as FastifyRequest['principal']
  })
  const wait = async (): Promise<{ ok: boolean }> => {
    await new Promise<void>((resolve) => begun.push(resolve))
    return { ok: true }
  }
  app.get('/api/v1/slow', wait)
  app.post('/api/v1/slow', wait)
  app.get('/healthz', async () => 'ok')
  app.get('/api/v1/worker/events', { config: { action: 'worker' } }, async () => 'ok')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    url,
    begun,
    waiting: async () => (await metrics.registry.getSingleMetric('trueup_http_waiting')!.get()).values[0]?.value,
    ask: (user: string, path = '/api/v1/slow') =>
      fetch(`${url}${path}`, { headers: { 'x-user': user, authorization: user } }),
    close: () => app.close(),
  }
}

describe('more requests than places', () => {
  let server: Awaited<ReturnType<typeof slowServer>>
  beforeEach(async () => {
    server = await slowServer(LIMITS)
  })
  afterEach(() => server.close())
  const waits = (count: number) => expect.poll(() => server.waiting()).toBe(count)

  it('wait for their turn, or are sent away with the time to come again', async () => {
    const all = [server.ask('ada')]
    await expect.poll(() => server.begun.length).toBe(1)
    all.push(server.ask('ada'), server.ask('ada'))
    await waits(2)
    const tooMany = await server.ask('ada')
    expect([tooMany.status, tooMany.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await tooMany.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
    all.push(server.ask('bob'))
    await waits(3)
    const full = await server.ask('cy')
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1'])
    // Probes and workers are not among those who wait.
    expect((await server.ask('any', '/healthz')).status).toBe(200)
    expect((await server.ask('any', '/api/v1/worker/events')).status).toBe(200)
    for (let done = 0; done < 4; done++) {
      await expect.poll(() => server.begun.length).toBeGreaterThan(done)
      expect(server.begun).toHaveLength(done + 1)
      server.begun[done]!()
    }
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })

  it('are sent away as well where it is not known yet who asks, one person before all', async () => {
    const known: (() => void)[] = []
    const busy = await slowServer(LIMITS, () => new Promise<void>((resolve) => known.push(resolve)))
    try {
      const ofOne = LIMITS.atOnce + LIMITS.waitingOfOne
      const all = Array.from({ length: ofOne }, () => busy.ask('ada'))
      await expect.poll(() => known.length).toBe(ofOne)
      const tooMany = await busy.ask('ada')
      expect([tooMany.status, tooMany.headers.get('retry-after')]).toEqual([429, '1'])
      expect(await tooMany.json()).toMatchObject({ code: 'TOO_MANY_REQUESTS', next: expect.any(String) })
      all.push(busy.ask('bob'))
      await expect.poll(() => known.length).toBe(ofOne + 1)
      const full = await busy.ask('cy')
      expect([full.status, full.headers.get('x-content-type-options')]).toEqual([503, 'nosniff'])
      expect((await busy.ask('any', '/healthz')).status).toBe(200)
      for (const tell of known) tell()
      for (let done = 0; done < all.length; done++) {
        await expect.poll(() => busy.begun.length).toBeGreaterThan(done)
        busy.begun[done]!()
      }
      expect((await Promise.all(all)).map(({ status }) => status)).toEqual(all.map(() => 200))
      // All have left, and their shares with them.
      const next = busy.ask('ada')
      await expect.poll(() => known.length).toBe(all.length + 1)
      known.at(-1)!()
      await expect.poll(() => busy.begun.length).toBe(all.length + 1)
      busy.begun.at(-1)!()
      expect((await next).status).toBe(200)
    } finally {
      await busy.close()
    }
  })

  it('are dropped when their client has left, and nothing is done for them', async () => {
    const first = server.ask('ada')
    await expect.poll(() => server.begun.length).toBe(1)
    const leaving = new AbortController()
    const left = fetch(`${server.url}/api/v1/slow`, { headers: { 'x-user': 'bob' }, signal: leaving.signal })
    await waits(1)
    leaving.abort()
    await expect(left).rejects.toThrow()
    await waits(0)
    server.begun[0]!()
    expect((await first).status).toBe(200)
    expect(server.begun).toHaveLength(1)
  })

  it('one whose client leaves while it is worked on gives its place back', async () => {
    const leaving = new AbortController()
    const left = fetch(`${server.url}/api/v1/slow`, { headers: { 'x-user': 'bob' }, signal: leaving.signal })
    await expect.poll(() => server.begun.length).toBe(1)
    leaving.abort()
    await expect(left).rejects.toThrow()
    server.begun[0]!()
    const next = server.ask('ada')
    await expect.poll(() => server.begun.length).toBe(2)
    server.begun[1]!()
    expect((await next).status).toBe(200)
  })
})

it('a body that does not come ends its connection, and holds no place', async () => {
  const server = await slowServer({ ...LIMITS, bodyMs: 50 })
  const { port, hostname } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(
    `POST /api/v1/slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  )
  await once(socket, 'close')
  const next = server.ask('ada')
  await expect.poll(() => server.begun.length).toBe(1)
  server.begun[0]!()
  expect((await next).status).toBe(200)
  await server.close()
})

describe('event streams of one person', () => {
  const { server, admin } = useServer()
  it('are bounded, and another person still gets one', async () => {
    const over = new AbortController()
    const open = ({ token }: Person): Promise<Response> =>
      fetch(`${server.url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` }, signal: over.signal })
    const streams = await Promise.all(Array.from({ length: 51 }, () => open(admin)))
    expect(streams.filter(({ status }) => status === 429)).toHaveLength(1)
    expect((await open(await server.person('eve'))).status).toBe(200)
    over.abort()
  })
})
