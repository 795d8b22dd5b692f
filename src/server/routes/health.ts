import { z } from 'zod'
import { VERSION } from '../../lib/version.ts'
import { createReadiness } from '../readiness.ts'
import type { RouteModule } from '../parts.ts'

/** For load balancers, supervisors and Prometheus. Public, and without anything worth knowing to a stranger. */
export const healthRoutes: RouteModule<'ready' | 'metrics' | 'store' | 'pushSpool'> = (app, parts) => {
  const { ready, metrics, store, pushSpool } = parts
  const schema = { tags: ['health'], security: [] }
  const whyNot = createReadiness(store, pushSpool)
  const Status = z.object({ status: z.string() })

  app.get(
    '/healthz',
    { config: { action: 'public' }, schema: { ...schema, summary: 'The process lives', response: { 200: Status } } },
    async () => ({ status: 'ok' }),
  )
  app.get(
    '/readyz',
    {
      config: { action: 'public' },
      schema: { ...schema, summary: 'The server takes requests', response: { 200: Status, 503: Status } },
    },
    async (_request, reply) => {
      if (!ready()) return reply.code(503).send({ status: 'not ready' })
      const why = await whyNot()
      if (why !== null) return reply.code(503).send({ status: `not ready: ${why}` })
      return { status: 'ready' }
    },
  )
  app.get(
    '/metrics',
    { config: { action: 'public' }, schema: { ...schema, summary: 'Metrics in the Prometheus text format' } },
    async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  )
  app.get(
    '/api/v1/version',
    {
      config: { action: 'public' },
      schema: { ...schema, summary: 'Version of the server', response: { 200: z.object({ version: z.string() }) } },
    },
    async () => ({ version: VERSION }),
  )
  app.get('/api/v1/openapi.json', { config: { action: 'public' }, schema: { hide: true } as object }, async () =>
    app.swagger(),
  )
}
