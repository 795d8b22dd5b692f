import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import fastifyStatic from '@fastify/static'
import fastify, { LogController, type FastifyBaseLogger } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { TrueupError } from '../lib/errors/error.ts'
import { createAdmission, type AdmissionLimits } from './admission/admit-requests.ts'
import { enforcePermissions } from './auth/enforce.ts'
import { enforcementPorts } from './enforcement-ports.ts'
import { answerErrors, sendError } from './errors.ts'
import { replayRepeats } from './idempotency.ts'
import type { App } from './auth/http-types.ts'
import { countLooks } from '../store/stacks/stacks.ts'
import { queues } from '../engine/worker/queues.ts'
import { measureRequests, measureStacks } from './metrics.ts'
import { measureQueues } from './queue-metrics.ts'
import { tellAsOf } from './events/as-of.ts'
import { describeRoutes } from './openapi.ts'
import type { ServerParts } from './parts.ts'
import { WEB_ROOT } from './web-root.ts'
import { ROUTES } from './routes/index.ts'
import { addSecurityHeaders } from './security-headers.ts'
import { createWorkerIdentity } from './worker/identity.ts'
import { checkSignedBodies } from './worker/signed-body.ts'
import { acceptWorkerSockets } from './worker/socket.ts'

export interface AppOptions {
  /** Bytes of a JSON body; Git and worker routes have limits of their own. Default 1 MiB. */
  bodyLimit?: number
  /** Milliseconds in which a request must arrive whole. Default 15 minutes: a push of a large repository takes its time. */
  requestTimeout?: number
  /** Addresses of reverse proxies whose X-Forwarded-* headers are believed. None by default. */
  trustProxy?: string[]
  /** Milliseconds that open requests may still take when the server stops; then they are cut off. Default 10 000. */
  closeGraceMs?: number
  /** How many requests are worked on and wait. */
  admission?: AdmissionLimits
}

/** The HTTP floor around `parts`: everything but listening. Await `ready()` before using it without a socket. */
export async function buildApp(parts: ServerParts, options: AppOptions = {}): Promise<App> {
  const admission = createAdmission(parts.metrics, options.admission)
  const app: App = fastify({
    serverFactory: admission.serverFactory,
    loggerInstance: parts.logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    requestTimeout: options.requestTimeout ?? 900_000,
    trustProxy: options.trustProxy ?? false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
    // What fails before there is a route, such as an address that cannot be decoded.
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  answerErrors(app)
  addSecurityHeaders(app)
  app.addHook('onSend', async (request, reply) => void reply.header('x-request-id', request.id))
  measureRequests(app, parts.metrics)
  measureStacks(parts.metrics, () => countLooks(parts.store.db))
  measureQueues(parts.metrics, parts.store.clock, () => queues(parts.engine.parts))
  await describeRoutes(app)
  await app.register(cookie)
  await app.register(fastifyStatic, { root: WEB_ROOT, serve: false, preCompressed: true, cacheControl: false })
  await app.register(rateLimit, {
    global: false,
    errorResponseBuilder: (_request, { after }) =>
      new TrueupError('TOO_MANY_REQUESTS', {
        doing: 'answering this address',
        why: 'it asked too often',
        next: `Try again in ${after}.`,
      }),
  })
  admission.attach(app)
  tellAsOf(app, parts.events)
  const workers = createWorkerIdentity(parts)
  enforcePermissions(app, enforcementPorts(parts, workers, parts.refusals))
  checkSignedBodies(app)
  replayRepeats(app, parts)
  for (const register of ROUTES) register(app, parts)
  acceptWorkerSockets(app, parts, workers)
  app.addHook('preClose', async () => {
    // A download that nobody reads, or a poll, would otherwise hold the shutdown back for as long as it likes.
    setTimeout(() => app.server.closeAllConnections(), options.closeGraceMs ?? 10_000).unref()
  })
  return app
}
