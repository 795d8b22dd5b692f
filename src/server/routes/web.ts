import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { TrueupError } from '../../lib/errors/error.ts'
import type { RouteModule } from '../parts.ts'
import { WEB_ROOT } from '../web-root.ts'

/**
 * What pages may load: our own files and nothing else. No script and no style in the text of a page,
 * and no other site can put a page into a frame.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Their names hold a hash of their content. */
const FOR_EVER = 'public, max-age=31536000, immutable'

/** Addresses that are no pages: what is not found there is an error of the API and not the application. */
const NOT_PAGES = /^\/(api|git|assets|metrics|healthz|readyz)(\/|$)/

/** The web application: hashed files that browsers keep, and its one page for every deep link. */
export const webRoutes: RouteModule<'startedAt'> = (app) => {
  const hidden = { schema: { hide: true } as object, config: { action: 'public' as const } }

  app.get('/assets/*', hidden, async (request, reply) => {
    void reply.header('cache-control', FOR_EVER)
    return reply.sendFile(`assets/${(request.params as { '*': string })['*']}`)
  })
  app.get('/', hidden, (request, reply) => page(request, reply))
  app.get('/*', hidden, (request, reply) => page(request, reply))

  async function page(request: FastifyRequest, reply: FastifyReply) {
    const path = request.url.split('?')[0]!
    if (NOT_PAGES.test(path)) return reply.callNotFound()
    const built = await access(join(WEB_ROOT, 'index.html')).then(
      () => true,
      () => false,
    )
    if (!built) {
      throw new TrueupError('UNAVAILABLE', {
        doing: 'opening the web application',
        why: 'it is not built yet',
        next: 'From a checkout it is built at the first start: reload in a few seconds, or run `npm run build`.',
      })
    }
    return reply
      .header('content-security-policy', PAGE_POLICY)
      .header('cache-control', 'no-cache')
      .header('cross-origin-opener-policy', 'same-origin')
      .sendFile('index.html')
  }
}
