import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { HttpAdmission } from '../repository.ts'
import { createGate } from './gate.ts'
import { serveBackend, type BackendContext } from './http-backend.ts'

/** Backends at once; each takes some 10-200 MB while it packs. */
const AT_ONCE = 16
const QUEUED = 64
const TICKET_MS = 60_000

export interface GitHttpServer {
  /** A ticket that is good for one request. */
  admit(admission: HttpAdmission): string
}

/** Serves admitted requests on a unix socket, whose directory only the server's own user can enter. */
export async function serveHttp(context: BackendContext, socketPath: string): Promise<GitHttpServer> {
  const admitted = new Map<string, { admission: HttpAdmission; until: number }>()
  const gate = createGate(AT_ONCE, QUEUED)

  const redeem = (ticket: string): HttpAdmission | null => {
    const found = admitted.get(ticket)
    admitted.delete(ticket)
    return found && found.until > Date.now() ? found.admission : null
  }
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const admission = redeem(String(request.headers['x-trueup-ticket'] ?? ''))
    if (!admission) return refuse(request, response, 403, 'This request has no ticket.')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const leave = await gate.enter(admission.user.id, gone.signal)
    if (!leave) return refuse(request, response, 503, 'Git is busy: try again in a moment.')
    try {
      if (!response.destroyed) await serveBackend(context, admission, request, response)
    } finally {
      leave()
    }
  }
  const server = createServer({ requestTimeout: 0, headersTimeout: 60_000 }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else refuse(request, response, 500, String(error))
    })
  })
  setInterval(() => {
    for (const [ticket, { until }] of admitted) if (until <= Date.now()) admitted.delete(ticket)
  }, TICKET_MS).unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  return {
    admit(admission) {
      const ticket = randomBytes(24).toString('base64url')
      admitted.set(ticket, { admission, until: Date.now() + TICKET_MS })
      return ticket
    },
  }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
  request.resume()
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'text/plain', ...(status === 503 && { 'retry-after': '2' }) })
  response.end(`${text}\n`)
}
