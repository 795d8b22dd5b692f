import type { App } from '../auth/http-types.ts'
import type { ChangeHub } from './hub.ts'

/**
 * What an answer is as of: the id of the newest change when it was asked for. Whoever then listens from there
 * (`/api/v1/events?after=`) misses nothing of what came between the answer and the stream.
 */
export const AS_OF_HEADER = 'x-trueup-as-of'

/** Has every answer to a person's question say as of which change it is. */
export function tellAsOf(app: App, hub: Pick<ChangeHub, 'head'>): void {
  app.decorateRequest('asOf', '')
  // Before anything of it is read.
  app.addHook('onRequest', async (request) => {
    if (request.method === 'GET') request.asOf = hub.head()
  })
  app.addHook('onSend', async (request, reply) => {
    if (request.asOf !== '' && request.principal) reply.header(AS_OF_HEADER, request.asOf)
  })
}
