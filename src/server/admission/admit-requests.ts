import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { FastifyRequest, FastifyServerOptions } from 'fastify'
import { Counter, Gauge } from 'prom-client'
import { turns } from '../../lib/turns.ts'
import type { App } from '../auth/http-types.ts'
import type { Metrics } from '../metrics.ts'
import { createDoor, isOfPeople } from './door.ts'
import { createFairPlaces, type FairPlaces, type NoPlace, type PlaceLimits } from './fair-places.ts'
import { noPlace } from './no-place.ts'

export interface AdmissionLimits extends PlaceLimits {
  /** Milliseconds in which the body of a request to the API must have come. */
  bodyMs: number
}

/**
 * What one process serves well: the work is mostly the database's, one piece after the other, so more at once would only make
 * all of them late. A browser that opens a page asks about twenty times.
 */
export const ADMISSION: AdmissionLimits = {
  atOnce: 8,
  waiting: 256,
  waitingOfOne: 128,
  patienceMs: 5_000,
  longMs: 500,
  bodyMs: 30_000,
}

/** The bounds of one server on what people ask at the same time. */
export interface Admission {
  /** Makes the server of the app: what is too much is sent away before the framework sees it. */
  serverFactory: (
    handler: (request: IncomingMessage, response: ServerResponse) => void,
    options: FastifyServerOptions,
  ) => Server
  /** Makes the requests that come in wait for their turn. */
  attach(app: App): void
}

/**
 * Keeps what the server answers useful when more is asked than it can do: requests of people to the API wait for a place, one
 * person behind another; too many of one person are 429, too many in all 503, both at once and with Retry-After. One whose
 * client has left while it waited is dropped. Probes, workers, runs, event streams and Git have lanes of their own and never
 * wait here: a server that is busy with people is still alive, and its workers keep their leases.
 */
export function createAdmission({ registry }: Metrics, limits: AdmissionLimits = ADMISSION): Admission {
  const places = createFairPlaces(limits)
  const refused = new Counter({
    name: 'trueup_http_refused_total',
    help: 'Requests that were sent away since too many were asked for at once.',
    labelNames: ['reason'],
    registers: [registry],
  })
  new Gauge({
    name: 'trueup_http_waiting',
    help: 'Requests of people that wait for their turn.',
    registers: [registry],
    collect() {
      this.set(places.waiting)
    },
  })
  const bounds = { inAll: limits.atOnce + limits.waiting, ofOne: limits.atOnce + limits.waitingOfOne }
  const mayEnter = createDoor(bounds, (reason) => refused.inc({ reason }))
  return {
    serverFactory(handler, options) {
      // All other settings of Fastify's own server are Node's.
      const { requestTimeout = 0, keepAliveTimeout = 72_000 } = options
      const server = createServer({ requestTimeout, keepAliveTimeout }, (request, response) => {
        if (mayEnter(request, response)) handler(request, response)
      })
      return server.on('connection', () => turns.arrived())
    },
    attach: (app) => takeTurns(app, places, limits, (reason) => refused.inc({ reason })),
  }
}

function takeTurns(
  app: App,
  places: FairPlaces,
  limits: AdmissionLimits,
  onRefusal: (why: NoPlace | 'slow body') => void,
): void {
  const bodies = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  const given = new WeakMap<FastifyRequest, () => void>()
  const giveBack = (request: FastifyRequest): void => given.get(request)?.()

  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 || !isOfPeople(request.url)) return
    const late = setTimeout(() => {
      onRefusal('slow body')
      request.raw.destroy()
    }, limits.bodyMs)
    reply.raw.once('close', () => clearTimeout(late))
    bodies.set(request, late)
  })

  // The person is known and the body is there: what waits costs nothing but its place.
  app.addHook('preValidation', async (request, reply) => {
    clearTimeout(bodies.get(request))
    if (request.is404 || !isOfPeople(request.url)) return
    const gone = new AbortController()
    const leave = (): void => gone.abort()
    reply.raw.once('close', leave)
    const place = await places.take(request.principal?.userId ?? request.ip, gone.signal)
    reply.raw.off('close', leave)
    if (typeof place === 'string') {
      onRefusal(place)
      throw noPlace(place)
    }
    given.set(request, place)
  })
  // The answer is made; how fast it is read costs nobody else. Also where the client has left meanwhile.
  app.addHook('onSend', async (request) => giveBack(request))
  app.addHook('onResponse', async (request) => giveBack(request))
}
