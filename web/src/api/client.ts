import createClient from 'openapi-fetch'
import type {} from '../first-addresses.ts'
import { t } from '../strings/frame.ts'
import { noteAsOf } from './as-of.ts'
import type { components, paths } from './schema.ts'

export type Schemas = components['schemas']

/** The API on this very server. Writes carry a header that no other site can send. */
export const api = createClient<paths>({
  baseUrl: '',
  headers: { 'x-trueup-client': 'web' },
  cache: 'no-store',
  fetch: async (request) => noteAsOf(await (takeAhead(request) ?? fetch(request))),
})

/** What was asked for before the application was there is taken once: asked again, it is asked for anew. */
function takeAhead({ method, url }: Request): Promise<Response> | undefined {
  const ahead = window.trueupAhead
  const address = url.slice(window.location.origin.length)
  const answer = method === 'GET' ? ahead?.get(address) : undefined
  if (answer) ahead!.delete(address)
  return answer
}

/** What the server said instead of an answer: what was being done, why not, what next. */
export class ApiError extends Error {
  readonly status: number
  readonly body: Schemas['ErrorBody']
  constructor(status: number, body: Schemas['ErrorBody']) {
    super(`${body.doing}: ${body.why}`)
    this.status = status
    this.body = body
  }
}

const unreachable: Schemas['ErrorBody'] = {
  code: 'UNREACHABLE',
  doing: t.askingTheServer,
  why: t.itDoesNotAnswer,
  next: t.thePageTriesAgainBy,
}

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The data of an answer, or an ApiError. */
export async function ask<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await request.catch((): never => {
    throw new ApiError(0, unreachable)
  })
  if (response.ok) return data as T
  const body = error as Partial<Schemas['ErrorBody']> | undefined
  throw new ApiError(response.status, {
    code: body?.code ?? `HTTP_${response.status}`,
    doing: body?.doing ?? `${new URL(response.url).pathname}`,
    why: body?.why ?? t.theAnswerWas(response.status, response.statusText),
    next: body?.next ?? t.tryAgain,
  })
}
