import { TrueupError } from '../../../lib/errors/error.ts'
import type { ErrorCode } from '../../../lib/errors/table.ts'

/** How the API server refuses: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
export interface Status {
  kind: 'Status'
  code: number
  message?: string
  reason?: string
  details?: { causes?: { reason?: string; message?: string; field?: string }[] }
}

export const isStatus = (body: unknown): body is Status =>
  typeof body === 'object' && body !== null && (body as Status).kind === 'Status' && 'code' in body

const CODES: { readonly [status: number]: ErrorCode } = {
  400: 'SOURCE_INVALID',
  401: 'TARGET_DENIED',
  403: 'TARGET_DENIED',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  413: 'TOO_LARGE',
  422: 'SOURCE_INVALID',
  429: 'UNAVAILABLE',
}

/** What of a refusal a person has to know. The server's message says which verb on which resource is missing. */
export function failureOf(doing: string, code: number, status: Status): TrueupError {
  const known = CODES[code]
  const why = shortened(status.message ?? `the server answered ${code}`)
  if (code === 401) {
    const next = 'Renew the token or certificate in the kubeconfig.'
    return new TrueupError('TARGET_DENIED', { doing, why: `the cluster does not know who we are: ${why}`, next })
  }
  if (code === 403) {
    const next = isWithoutRight(status)
      ? 'Grant the identity of the kubeconfig (or of `impersonate:`) what the message names.'
      : 'A rule of the cluster (a quota, a limit, a policy) refuses it: meet it, or have it changed.'
    return new TrueupError('TARGET_DENIED', { doing, why, next })
  }
  // 1.20 answers 500 to fields that its schema does not have.
  if (TYPED.test(why)) return new TrueupError('SOURCE_INVALID', { doing, why })
  return new TrueupError(known ?? (code >= 500 ? 'UNAVAILABLE' : 'TOOL_FAILED'), {
    doing,
    why,
    ...(known === undefined && { next: 'Look at the log of the API server.' }),
  })
}

const TYPED = /typed patch object|not declared in schema|associative list/
const LONGEST = 2000

/** Messages begin with what was tried, with the whole object in it at times, and end with what is wrong. */
function shortened(message: string): string {
  if (message.length <= LONGEST) return message
  const head = LONGEST / 4
  return `${message.slice(0, head)} […] ${message.slice(head - LONGEST)}`
}

/** A refusal that says: this field can never be changed on a living object. */
export const isImmutable = (status: Status): boolean =>
  status.code === 422 &&
  /immutable|may not change once set|may not be changed in an update|cannot be changed|cannot change roleRef|pod updates may not change|updates to .+ are forbidden/i.test(
    status.message ?? '',
  )

/** The identity lacks a right; admission answers 403, too, to what nobody may (quotas, limits, namespaces that go away). */
export const isWithoutRight = (status: Status): boolean =>
  status.code === 403 &&
  (status.message === undefined || /\bcannot \w+ (resource|path)|^forbidden/i.test(status.message))

/** A webhook that has side effects refuses dry runs. */
export const refusesDryRun = (status: Status): boolean =>
  status.code === 400 && /does not support dry.?run/i.test(status.message ?? '')

/** A webhook whose server is away: nobody can say what it would, and a change of that very server has to stay possible. */
export const isWebhookAway = (status: Status): boolean =>
  status.code === 500 && /failed calling webhook/.test(status.message ?? '')

/** Something is wrong with the object as it is written, wherever it is to be. */
export const isMalformed = (status: Status): boolean =>
  TYPED.test(status.message ?? '') ||
  (status.code === 422 && / is invalid: /.test(status.message ?? '') && !/\bdenied\b/.test(status.message ?? ''))

/** Field conflicts of a server-side apply, one sentence each, the other manager named. */
export function conflictsIn(status: Status): string[] {
  if (status.code !== 409) return []
  const causes = status.details?.causes?.filter(({ reason }) => reason === 'FieldManagerConflict') ?? []
  return causes.map(({ message = '', field = '' }) => `${field}: ${message}`)
}
