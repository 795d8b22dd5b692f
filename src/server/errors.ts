import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { asTrueupError, TrueupError, type ErrorBody } from '../lib/errors/error.ts'
import type { ErrorCode } from '../lib/errors/table.ts'

/** Gives every route of `app` the one way to answer errors. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | Error, request, reply) => sendError(error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    sendError(
      new TrueupError('NOT_FOUND', {
        doing: `${request.method} ${pathOf(request)}`,
        why: 'there is nothing at this address',
        next: 'GET /api/v1/openapi.json lists every address of the API.',
      }),
      request,
      reply,
    ),
  )
}

/** Answers one error. What users did is theirs to read; what Trueup did wrong is logged and answered with an id only. */
export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toTrueupError(thrown, request)
  const body = publicBody(error, request)
  // Of sending somebody away there is nothing to be found out, and a busy server has no time to write it down at length.
  const isFault = error.status >= 500 && error.code !== 'UNAVAILABLE'
  if (isFault) request.log.error({ err: error.cause ?? error, code: error.code }, 'request failed')
  else request.log.info({ code: error.code, why: error.text.why }, 'request refused')
  const forGit = pathOf(request).startsWith('/git/')
  // Git asks its credential helpers only when it is offered Basic.
  if (error.code === 'UNAUTHENTICATED')
    reply.header('www-authenticate', `${forGit ? 'Basic' : 'Bearer'} realm="trueup"`)
  if (error.retryable && [429, 503].includes(error.status) && !reply.hasHeader('retry-after'))
    reply.header('retry-after', '1')
  reply.code(error.status)
  // Git shows plain text to the person who pushes, each line behind "remote:".
  if (forGit) return reply.type('text/plain; charset=utf-8').send(`${body.doing}: ${body.why}\n${body.next}\n`)
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
}

/** The body that leaves the server: the cause of an INTERNAL error stays in the log, under the request's id. */
export function publicBody(error: TrueupError, request: Pick<FastifyRequest, 'id'>): ErrorBody {
  if (error.code !== 'INTERNAL') return error.toJSON()
  return {
    code: 'INTERNAL',
    doing: error.text.doing,
    why: `an unexpected fault, logged as request ${request.id}`,
    next: error.next,
    details: { requestId: request.id },
  }
}

function toTrueupError(thrown: unknown, request: FastifyRequest): TrueupError {
  const doing = `${request.method} ${pathOf(request)}`
  if (thrown instanceof TrueupError) return thrown
  if (hasZodFastifySchemaValidationErrors(thrown)) {
    const [first] = thrown.validation
    const part = (thrown as FastifyError).validationContext ?? 'request'
    const field = `${part}${(first?.instancePath ?? '').replaceAll('/', '.').replace(/\.$/, '')}`
    return new TrueupError('INVALID_REQUEST', {
      doing,
      why: `${field}: ${first?.message ?? 'not as the API describes it'}`,
      details: {
        fields: thrown.validation.map((issue) => ({
          field: `${part}${issue.instancePath.replaceAll('/', '.').replace(/\.$/, '')}`,
          message: issue.message ?? '',
        })),
      },
    })
  }
  const code = thrown instanceof Error && 'code' in thrown ? FRAMEWORK_CODES[String(thrown.code)] : undefined
  if (code) return new TrueupError(code, { doing, why: (thrown as Error).message, cause: thrown })
  return asTrueupError(thrown, doing)
}

/** Fastify's own refusals (https://fastify.dev/docs/latest/Reference/Errors/) in our words. */
const FRAMEWORK_CODES: Record<string, ErrorCode | undefined> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'TOO_LARGE',
  FST_ERR_CTP_INVALID_JSON_BODY: 'INVALID_REQUEST',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'INVALID_REQUEST',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'INVALID_REQUEST',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'INVALID_REQUEST',
  FST_ERR_BAD_URL: 'INVALID_REQUEST',
  FST_ERR_REOPENED_CLOSE_SERVER: 'UNAVAILABLE',
}

/** The path without its query: queries may carry what does not belong into an error text. */
const pathOf = (request: FastifyRequest): string => request.url.split('?')[0] ?? '/'
