import { createHmac, randomBytes } from 'node:crypto'
import { canonicalJson, type Json } from '../lib/json.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { findIdempotentAnswer, saveIdempotentAnswer } from '../store/idempotency.ts'
import { getMeta, setMeta } from '../store/database/meta.ts'
import type { FastifyRequest } from 'fastify'
import type { App } from './auth/http-types.ts'
import type { ServerParts } from './parts.ts'

const WRITES = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])
const KEY = /^[\x21-\x7e]{8,128}$/

interface Attempt {
  userId: string
  key: string
  requestHash: string
}

/**
 * `Idempotency-Key` on writes of people: a repeat of the same request gets the answer of the first one (marked with
 * `idempotency-replayed`), the same key with another request IDEMPOTENCY_MISMATCH, and a repeat while the first is still
 * running CONFLICT. Faults of the server (5xx) are not kept, so that a repeat can mend them.
 *
 * The answer is saved after the effect and before it is sent, in a transaction of its own: when the server is killed
 * between the two, a repeat is carried out again. It then meets what the first one did: most writes say the same again or
 * answer CONFLICT with what stands there; the ones that make something new (a token, an enrolment, a comment) make it twice.
 */
export function replayRepeats(app: App, parts: Pick<ServerParts, 'store' | 'keys'>): void {
  const { store } = parts
  const hash = keyedHash(parts)
  const running = new Set<string>()
  const attempts = new WeakMap<FastifyRequest, Attempt>()

  app.addHook('preHandler', async (request, reply) => {
    const attempt = await attemptOf(request, hash)
    if (!attempt) return
    const slot = `${attempt.userId} ${attempt.key}`
    if (running.has(slot)) {
      throw new TrueupError('CONFLICT', {
        doing: doingOf(request),
        why: 'the first request with this Idempotency-Key is still being answered',
        next: 'Wait for its answer, or repeat in a moment.',
      })
    }
    running.add(slot)
    // From here on the attempt is this request's to end, also where the lookup below throws.
    attempts.set(request, attempt)
    const known = await findIdempotentAnswer(store.db, attempt.userId, attempt.key)
    if (!known) return
    if (known.requestHash !== attempt.requestHash) {
      throw new TrueupError('IDEMPOTENCY_MISMATCH', {
        doing: doingOf(request),
        why: 'its Idempotency-Key was used before, for a different request',
      })
    }
    if (known.response === SECRET) {
      throw new TrueupError('CONFLICT', {
        doing: doingOf(request),
        why: 'this request was answered before, and its answer held a secret that is shown once only',
        next: 'Revoke what was made and make another with a new Idempotency-Key.',
      })
    }
    reply.header('idempotency-replayed', 'true')
    return reply
      .code(known.status)
      .type('application/json; charset=utf-8')
      .serializer(canonicalJson)
      .send(known.response)
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const attempt = attempts.get(request)
    if (!attempt || reply.hasHeader('idempotency-replayed') || reply.statusCode >= 400) return
    if (typeof payload !== 'string') return
    const response = request.routeOptions.config.secretAnswer ? SECRET : (JSON.parse(payload) as Json)
    await saveIdempotentAnswer(store.db, { ...attempt, status: reply.statusCode, response })
  })

  app.addHook('onResponse', async (request) => release(request))
  app.addHook('onRequestAbort', async (request) => release(request))

  function release(request: FastifyRequest): void {
    const attempt = attempts.get(request)
    if (attempt) running.delete(`${attempt.userId} ${attempt.key}`)
    attempts.delete(request)
  }
}

/** Stands for an answer that must not be kept. */
const SECRET = 'secret'

/**
 * Bodies hold passwords and values of variables: a plain hash of a request would let whoever reads the database guess
 * them. The key is kept sealed.
 */
function keyedHash({ store, keys }: Pick<ServerParts, 'store' | 'keys'>): (value: Json) => Promise<string> {
  const context = 'idempotency'
  let key: Promise<Buffer> | undefined
  const open = async (): Promise<Buffer> => {
    const sealed = await getMeta(store.db, KEY_NAME)
    if (sealed !== null) return keys.open(sealed, context)
    const fresh = randomBytes(32)
    await setMeta(store.db, KEY_NAME, keys.seal(fresh, context))
    return fresh
  }
  return async (value) => {
    key ??= open().catch((error: unknown) => {
      key = undefined
      throw error
    })
    return createHmac('sha256', await key)
      .update(canonicalJson(value))
      .digest('hex')
  }
}

const KEY_NAME = 'idempotency.key'

async function attemptOf(request: FastifyRequest, hash: (value: Json) => Promise<string>): Promise<Attempt | null> {
  const key = request.headers['idempotency-key']
  if (!request.principal || !WRITES.has(request.method) || key === undefined) return null
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new TrueupError('INVALID_REQUEST', {
      doing: doingOf(request),
      why: 'Idempotency-Key: not 8 to 128 visible ASCII characters',
      next: 'Send a random UUID.',
    })
  }
  const { method, url } = request
  const requestHash = await hash({ method, url, body: (request.body ?? null) as Json })
  return { userId: request.principal.userId, key, requestHash }
}

const doingOf = (request: FastifyRequest): string => `${request.method} ${request.url.split('?')[0]}`
