import { TrueupError } from '../../../lib/errors/error.ts'
import type { ErrorCode } from '../../../lib/errors/table.ts'

/** Names of service errors by what they mean for a run (CloudFormation API: "Common errors"). */
const CODES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^(AccessDenied|AccessDeniedException|NotAuthorized|OptInRequired)$/, 'TARGET_DENIED'],
  [
    /^(InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|IncompleteSignature|MissingAuthenticationToken|CredentialsProviderError|InvalidSignatureException|RequestExpired|AuthFailure)$/,
    'TARGET_DENIED',
  ],
  [
    /^(Throttling|ThrottlingException|RequestLimitExceeded|TooManyRequestsException|LimitExceededException)$/,
    'TOO_MANY_REQUESTS',
  ],
  [/^(ServiceUnavailable|InternalFailure|InternalError|InternalServerError)$/, 'UNAVAILABLE'],
  [/^(InsufficientCapabilitiesException|InsufficientCapabilities)$/, 'CONFIG_INVALID'],
  [
    /^(ChangeSetNotFound|ChangeSetNotFoundException|InvalidChangeSetStatus|InvalidChangeSetStatusException)$/,
    'PLAN_STALE',
  ],
  [/^(ValidationError|ValidationException)$/, 'SOURCE_INVALID'],
]
const UNREACHABLE =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EPIPE|CERT_.*|UNABLE_TO_.*|ERR_TLS_.*|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/

/** The service's own name of an error: `ValidationError`, `Throttling`; empty where it is none of the service. */
export function serviceCode(thrown: unknown): string {
  if (!(thrown instanceof Error)) return ''
  const code = (thrown as { Code?: unknown }).Code
  return typeof code === 'string' ? code : thrown.name
}

/** An error of the SDK as one of ours. What it says of credentials and requests holds no secret. */
export function apiFailure(thrown: unknown, doing: string): TrueupError {
  if (thrown instanceof TrueupError) return thrown
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const name = serviceCode(error)
  const system = systemCode(error)
  if (name === 'AbortError') return new TrueupError('CANCELED', { doing, why: 'the run was stopped', cause: error })
  const page = htmlIn(error)
  if (page !== null) {
    return new TrueupError('TARGET_UNREACHABLE', {
      doing,
      why: `what answered is not AWS: an HTML page (HTTP ${page.status})${page.title === null ? '' : ` with the title "${page.title}"`}`,
      next: 'Look at the proxy or gateway on the way to the endpoint, and at `with.endpoint`.',
      cause: error,
    })
  }
  if (system !== undefined || name === 'TimeoutError') {
    return new TrueupError('TARGET_UNREACHABLE', {
      doing,
      why: `AWS does not answer: ${error.message || system}`,
      cause: error,
    })
  }
  const [, code] = CODES.find(([pattern]) => pattern.test(name)) ?? []
  if (code === 'CONFIG_INVALID') {
    return new TrueupError('CONFIG_INVALID', {
      doing,
      why: error.message,
      next: 'Add what the message names to `with.capabilities`: it acknowledges that the template makes IAM resources or expands macros.',
      cause: error,
    })
  }
  return new TrueupError(code ?? 'TOOL_FAILED', {
    doing,
    why: `${error.message || name} (${name})`,
    cause: error,
    details: { service: name },
  })
}

/** The service says that there is no such stack. */
export const isMissingStack = (thrown: unknown): boolean =>
  serviceCode(thrown).startsWith('Validation') && /does not exist/i.test((thrown as Error).message)

/** The endpoint does not know an action or a parameter: an emulator, or a partition that does not offer it yet. */
export function isNotOffered(thrown: unknown): boolean {
  const name = serviceCode(thrown)
  const message = thrown instanceof Error ? thrown.message : ''
  const status = (thrown as { $metadata?: { httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode
  if (/^(InvalidAction|UnknownOperation|UnknownOperationException|NotImplemented)$/.test(name)) return true
  if (name.startsWith('Validation')) return /unknown parameter|not supported|DeploymentMode/i.test(message)
  // moto answers with an HTML page where it does not know an action; so do proxies, with other codes.
  const page = htmlIn(thrown)
  return status === 501 || (page !== null && page.status === 500)
}

/**
 * An answer that is a web page: of a proxy, a gateway, a log-in page. The SDK tries to read it as XML and hangs the answer
 * onto its error (`$response`), with its text where it was no XML (`$responseBodyText`).
 */
export function htmlIn(thrown: unknown): { status: number; title: string | null } | null {
  const response = (thrown as { $response?: { statusCode?: number; headers?: object; body?: unknown } } | null)
    ?.$response
  if (response === undefined || typeof response !== 'object') return null
  const headers = Object.entries(response.headers ?? {})
  const type = String(headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '')
  const text = (thrown as { $responseBodyText?: unknown }).$responseBodyText ?? response.body
  const body = typeof text === 'string' ? text : ''
  if (!/html/i.test(type) && !/^\s*<(!doctype html|html)/i.test(body)) return null
  const title = /<title>([^<]{1,200})<\/title>/i.exec(body)?.[1]?.trim()
  return { status: response.statusCode ?? 0, title: title || null }
}

function systemCode(error: Error): string | undefined {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const { code } = one as { code?: unknown }
    if (typeof code === 'string' && UNREACHABLE.test(code)) return code
    const inner = (one as { errors?: unknown[] }).errors?.[0]
    const innerCode = (inner as { code?: unknown } | undefined)?.code
    if (typeof innerCode === 'string' && UNREACHABLE.test(innerCode)) return innerCode
  }
  return undefined
}
