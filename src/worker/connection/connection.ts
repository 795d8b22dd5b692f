import { z } from 'zod'
import { errorFromBody, TrueupError, type ErrorBody } from '../../lib/errors/error.ts'
import { METHODS, type CallAnswer, type Method, type Params, type Result, type ServerEvent } from '../protocol.ts'
import { parseAnswer } from './http.ts'

/** One way to the server, until it breaks. */
export interface Connection {
  readonly kind: 'websocket' | 'long-poll'
  /** One call, one answer. SERVER_UNREACHABLE when the connection broke before the answer: the call may have happened. */
  call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>>
  /** Resolves with the reason once the connection is over. */
  readonly closed: Promise<string>
  close(): void
}

export type OnEvent = (event: ServerEvent) => void

/** What leaves must be of the protocol too: a driver that answers nonsense is found here and not on the server. */
export function checkParams<M extends Method>(method: M, params: Params<M>): Params<M> {
  const parsed = METHODS[method].params.safeParse(params)
  if (parsed.success) return parsed.data as Params<M>
  throw new TrueupError('TOOL_OUTPUT', {
    doing: `reporting ${method}`,
    why: z.prettifyError(parsed.error).slice(0, 500),
    next: 'This is a fault of the driver: report it.',
  })
}

export function readAnswer<M extends Method>(method: M, answer: z.infer<typeof CallAnswer>): Result<M> {
  if (answer.error) throw errorFromBody(answer.error as ErrorBody)
  return parseAnswer(METHODS[method].result as unknown as z.ZodType<Result<M>>, answer.result, `calling ${method}`)
}
