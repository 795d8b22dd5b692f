import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { StateActor, StateKey, StateLockInfo, TerraformStates } from '../../engine/state-backend/state-backend.ts'
import { TrueupError } from '../../lib/errors/error.ts'

/** What a client of a state says it is, and where it is. */
export interface StateLogin {
  username: string
  password: string
  address: string
}

export interface TerraformStateOptions {
  states: TerraformStates
  stateAccess: {
    /** Whose credentials these are, for this state; null where they do not count (401). Errors are answered as they are. */
    authenticate(who: StateLogin, key: StateKey): Promise<StateActor | null>
  }
  /** Largest accepted state in bytes; default 100 MB. */
  maxBytes?: number
}

const DEFAULT_MAX_BYTES = 100 * 1000 * 1000
const ADDRESS = '/api/v1/state/:stackId/:workspace'
/** A lock is a few hundred bytes. */
const MAX_LOCK_BYTES = 64 * 1024

const Params = z.object({
  stackId: z.string().max(100),
  workspace: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$/, 'letters, digits, dot, dash and underscore'),
})
const LockBody = z.looseObject({ ID: z.string().min(1).max(200) })

/**
 * Terraform's HTTP state backend: `GET|POST|LOCK|UNLOCK /api/v1/state/:stackId/:workspace`, Basic authentication. A state
 * is never deleted this way: `DELETE` is refused, `destroy` stores an empty state.
 * https://developer.hashicorp.com/terraform/language/backend/http
 */
export async function terraformStateRoutes(app: FastifyInstance, options: TerraformStateOptions): Promise<void> {
  const { states } = options
  const config = { action: 'run' as const }
  const bodyLimit = options.maxBytes ?? DEFAULT_MAX_BYTES
  const actors = new WeakMap<FastifyRequest, StateActor>()
  const actorOf = (request: FastifyRequest): StateActor => {
    const actor = actors.get(request)
    if (actor === undefined) throw new Error('a state route ran before its authentication')
    return actor
  }

  for (const method of ['LOCK', 'UNLOCK']) app.addHttpMethod(method, { hasBody: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler(answerLocked)
  // Before the body is read: nobody unknown may send a hundred megabytes.
  app.addHook('onRequest', async (request, reply) => {
    const [username, password] = basicCredentials(request.headers.authorization) ?? []
    const known = username !== undefined && password !== undefined
    const who = known && { username, password, address: request.ip }
    const actor = who && (await options.stateAccess.authenticate(who, keyOf(request)))
    if (actor) actors.set(request, actor)
    else throw refused(reply)
  })

  app.get(ADDRESS, { config }, async (request, reply) => {
    const state = await states.read(keyOf(request))
    if (state === null) return reply.code(204).send()
    return reply
      .type('application/json')
      .header('content-md5', Buffer.from(state.md5, 'hex').toString('base64'))
      .header('cache-control', 'no-store')
      .send(state.body)
  })

  app.post(ADDRESS, { config, bodyLimit }, async (request, reply) => {
    const body = bodyOf(request)
    checkMd5(request, body)
    await states.write(actorOf(request), keyOf(request), body, lockIdOf(request))
    return reply.code(200).send()
  })

  app.route({
    method: 'LOCK',
    url: ADDRESS,
    config,
    bodyLimit: MAX_LOCK_BYTES,
    handler: async (request, reply) => {
      await states.lock(actorOf(request), keyOf(request), lockOf(bodyOf(request)))
      return reply.code(200).send()
    },
  })

  app.route({
    method: 'UNLOCK',
    url: ADDRESS,
    config,
    bodyLimit: MAX_LOCK_BYTES,
    handler: async (request, reply) => {
      const body = bodyOf(request)
      // `terraform force-unlock` sends nothing, not even the ID that the person typed.
      const lockId = body.length === 0 ? null : lockOf(body).ID
      await states.unlock(actorOf(request), keyOf(request), lockId)
      return reply.code(200).send()
    },
  })

  app.delete(ADDRESS, { config }, async () => {
    throw new TrueupError('INVALID_REQUEST', {
      doing: 'deleting a Terraform state',
      why: 'a state is kept for as long as its stack, with its versions',
      next: 'Destroy the stack, or remove it from trueup.yaml.',
    })
  })
}

/** Terraform reads the holder's lock out of the body of a 423; everything else is answered as everywhere. */
function answerLocked(error: unknown, _request: FastifyRequest, reply: FastifyReply): void {
  if (!(error instanceof TrueupError) || error.code !== 'STATE_LOCKED') throw error
  void reply
    .code(error.status)
    .type('application/json')
    .send(JSON.stringify(error.text.details?.lock ?? {}))
}

function keyOf(request: FastifyRequest): StateKey {
  const params = Params.safeParse(request.params)
  if (params.success) return params.data
  const [issue] = params.error.issues
  throw invalid(`${issue?.path.join('.')}: ${issue?.message}`)
}

function lockOf(body: Buffer): StateLockInfo {
  try {
    return LockBody.parse(JSON.parse(body.toString('utf8'))) as StateLockInfo
  } catch (cause) {
    throw invalid('the body is not a lock with an ID', cause)
  }
}

function lockIdOf(request: FastifyRequest): string | null {
  const { ID } = request.query as { ID?: unknown }
  return typeof ID === 'string' && ID !== '' ? ID : null
}

const bodyOf = (request: FastifyRequest): Buffer => (Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0))

/** A body that was cut on its way would be half a state. */
function checkMd5(request: FastifyRequest, body: Buffer): void {
  const expected = request.headers['content-md5']
  if (typeof expected !== 'string') return
  const actual = createHash('md5').update(body).digest('base64')
  if (actual !== expected) throw invalid('the body is not what its Content-MD5 says')
}

function basicCredentials(header: string | undefined): [string, string] | null {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return null
  const pair = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  return colon === -1 ? null : [pair.slice(0, colon), pair.slice(colon + 1)]
}

function refused(reply: FastifyReply): TrueupError {
  reply.header('www-authenticate', 'Basic realm="trueup"')
  return new TrueupError('UNAUTHENTICATED', {
    doing: 'checking who uses this state',
    why: 'the user name and password do not count here (any more)',
    next: "Use a token of yours as the password; a run's own end with its lease.",
  })
}

const invalid = (why: string, cause?: unknown): TrueupError =>
  new TrueupError('INVALID_REQUEST', { doing: 'using a Terraform state', why, cause })
