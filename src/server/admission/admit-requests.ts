import { Gauge, Counter } from 'prom-client'
import type { FastifyRequest } from 'fastify'
import { TrueupError } from '../../lib/errors/error.ts'
import type { App } from '../auth/http-types.ts'
import type { Metrics } from '../metrics.ts'
import { createFairPlaces, type NoPlace, type PlaceLimits } from './fair-places.ts'

export interface AdmissionLimits extends PlaceLimits {
  /** Milliseconds in which the body of a request to the API must have come. */
  bodyMs: number
}

/**
 * What one process serves well: the work is mostly the database's, one piece after the other, so more at once would only make
 * all of them late. A browser that opens a page asks about twenty times.
 */
export const ADMISSION: AdmissionLimits = {
  atOnce: 16,
  waiting: 512,
  waitingOfOne: 128,
  patienceMs: 10_000,
  bodyMs: 30_000,
}

/**
 * Keeps what the server answers useful when more is asked than it can do: requests of people to the API wait for a place, one
 * person behind another; too many of one person are 429, too many in all 503, both at once and with Retry-After. One whose
 * client has left while it waited is dropped. Probes, workers, runs, event streams and Git have lanes of their own and never
 * wait here: a server that is busy with people is still alive, and its workers keep their leases.
 */
export function admitRequests(app: App, { registry }: Metrics, limits: AdmissionLimits = ADMISSION): void {
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
  // Who has come and is not answered: finding out who asks is work, too, and must not grow a line of its own before the places.
  let here = 0
  const bodies = new WeakMap<FastifyRequest, NodeJS.Timeout>()
  const given = new WeakMap<FastifyRequest, () => void>()
  const giveBack = (request: FastifyRequest): void => given.get(request)?.()

  app.addHook('onRequest', async (request, reply) => {
    if (!isOfPeople(request)) return
    // Before anything is read for it: sending away must cost next to nothing.
    if (places.full || here >= limits.atOnce + limits.waiting) {
      refused.inc({ reason: 'full' })
      throw noPlace('full')
    }
    here++
    reply.raw.once('close', () => here--)
    const late = setTimeout(() => {
      refused.inc({ reason: 'slow body' })
      request.raw.destroy()
    }, limits.bodyMs)
    reply.raw.once('close', () => clearTimeout(late))
    bodies.set(request, late)
  })

  // The person is known and the body is there: what waits costs nothing but its place.
  app.addHook('preValidation', async (request, reply) => {
    clearTimeout(bodies.get(request))
    if (!isOfPeople(request)) return
    const gone = new AbortController()
    const leave = (): void => gone.abort()
    reply.raw.once('close', leave)
    const place = await places.take(request.principal?.userId ?? request.ip, gone.signal)
    reply.raw.off('close', leave)
    if (typeof place === 'string') {
      refused.inc({ reason: place })
      throw noPlace(place)
    }
    given.set(request, place)
  })
  // The answer is made; how fast it is read costs nobody else. Also where the client has left meanwhile.
  app.addHook('onSend', async (request) => giveBack(request))
  app.addHook('onResponse', async (request) => giveBack(request))
}

/** Everything of the API but what has a lane of its own. */
function isOfPeople(request: FastifyRequest): boolean {
  if (request.is404 || !request.url.startsWith('/api/')) return false
  const { action } = request.routeOptions.config
  return action !== 'worker' && action !== 'run' && request.routeOptions.url !== EVENTS
}

const EVENTS = '/api/v1/events'

function noPlace(why: NoPlace): TrueupError {
  const doing = 'answering this request'
  if (why === 'share full')
    return new TrueupError('TOO_MANY_REQUESTS', {
      doing,
      why: 'too many of yours wait already',
      next: 'Ask again in a second.',
    })
  return new TrueupError('UNAVAILABLE', {
    doing,
    why: why === 'too long' ? 'its turn did not come in time' : 'the server has more to do than it can',
    next: 'Try again in a moment.',
  })
}
