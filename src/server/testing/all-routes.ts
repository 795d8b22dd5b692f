import fastify from 'fastify'
import type { ServerParts } from '../parts.ts'
import { ROUTES } from '../routes/index.ts'
import { buildRoutelessApp } from './routeless.ts'

/** Every route of the server as `METHOD /path`, with the action that it declares; registered, never called. */
export async function allRoutes(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const app = buildRoutelessApp(fastify())
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => () => '')
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const verb of [method].flat()) if (verb !== 'HEAD') found.set(`${verb} ${url}`, String(config?.action))
  })
  const unused: object = new Proxy(() => unused, { get: (_target, name) => (name === 'then' ? undefined : unused) })
  for (const register of ROUTES) register(app, unused as ServerParts)
  // Those in plugins are registered then.
  await app.ready()
  await app.close()
  return found
}
