import { XMLBuilder } from 'fast-xml-parser'

/** What an action answers: an object, whose arrays become `<member>` lists and dates ISO 8601. */
export type Answer = { [name: string]: AnswerValue }
export type AnswerValue = string | number | boolean | Date | undefined | null | Answer | readonly AnswerValue[]

/** An error as the service answers it. `ValidationError` is 400, throttling is 400 with code `Throttling`. */
export class ServiceError extends Error {
  readonly code: string
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/'
const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true })

/** `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata>…`. */
export function answerXml(action: string, answer: Answer, requestId: string): string {
  return builder.build({
    [`${action}Response`]: {
      '@xmlns': NAMESPACE,
      [`${action}Result`]: shaped(answer),
      ResponseMetadata: { RequestId: requestId },
    },
  })
}

export function errorXml(error: ServiceError, requestId: string): string {
  return builder.build({
    ErrorResponse: {
      '@xmlns': NAMESPACE,
      Error: { Type: error.status < 500 ? 'Sender' : 'Receiver', Code: error.code, Message: error.message },
      RequestId: requestId,
    },
  })
}

function shaped(value: AnswerValue): unknown {
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return { member: value.map(shaped) }
  if (value === null || value === undefined) return undefined
  if (typeof value !== 'object') return String(value)
  const kept = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null)
  return Object.fromEntries(kept.map(([name, inner]) => [name, shaped(inner)]))
}
