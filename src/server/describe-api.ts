import { buildApp } from './app.ts'
import { createLogger } from './logging.ts'
import { createMetrics } from './metrics.ts'
import type { ServerParts } from './parts.ts'

/** The OpenAPI document of every route, made without a store: routes are registered, never called. */
export async function describeApi(): Promise<object> {
  // Whatever a route module takes from its parts at registration; nothing of it is used before a request.
  const unused: object = new Proxy(() => unused, { get: (_target, name) => (name === 'then' ? undefined : unused) })
  const app = await buildApp({
    logger: createLogger('silent'),
    metrics: createMetrics(),
    engine: unused,
    store: unused,
    keys: unused,
    events: unused,
    publicUrl: () => '',
    startedAt: 0,
  } as unknown as ServerParts)
  try {
    await app.ready()
    return app.swagger()
  } finally {
    await app.close()
  }
}
