import type { FastifyInstance } from 'fastify'
import { enforcePermissions } from '../auth/enforce.ts'
import type { App } from '../auth/http-types.ts'

/** An app that has the rules for routes and none of the routes. */
export function buildRoutelessApp(bare: FastifyInstance): App {
  const app = bare as unknown as App
  const unused = (): never => {
    throw new Error('no request is made here')
  }
  enforcePermissions(app, {
    authenticate: unused,
    authenticateWorker: unused,
    findRepository: unused,
    refused: () => undefined,
    roleIn: unused,
    shortIds: [],
    idsBeginning: unused,
  })
  return app
}
