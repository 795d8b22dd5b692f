import type { Json } from '../json.ts'
import { cleanJson, cleanText } from './clean.ts'
import { ERRORS, type ErrorCode } from './table.ts'

export interface ErrorText {
  /** What was being done, present participle, no "failed to": `reading trueup.yaml of repository "shop"`. */
  doing: string
  /** Why it could not be: `line 4: unknown key "enviroments"`. */
  why: string
  /** The next action; the table's hint when absent. */
  next?: string
  cause?: unknown
  /** Machine-readable details, never secrets. */
  details?: { [key: string]: Json }
}

/** What an error looks like on the wire and in `--output json`. */
export interface ErrorBody {
  code: ErrorCode
  doing: string
  why: string
  next: string
  details?: { [key: string]: Json }
}

/**
 * The one error type users meet: a stable code, and what/why/next in words. Everything else is a bug. Its words may hold
 * what tools and remote ends have said: credentials in URLs and control characters are taken out here, for all of them.
 */
export class TrueupError extends Error {
  readonly code: ErrorCode
  readonly text: ErrorText

  constructor(code: ErrorCode, text: ErrorText) {
    const clean = cleanErrorText(text)
    super(`${clean.doing}: ${clean.why}`, { cause: clean.cause })
    this.name = 'TrueupError'
    this.code = code
    this.text = clean
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get exit(): number {
    return ERRORS[this.code].exit
  }

  get retryable(): boolean {
    return ERRORS[this.code].retry === 'retryable'
  }

  get next(): string {
    return this.text.next ?? ERRORS[this.code].hint
  }

  /** For a terminal: two or three lines. */
  explain(): string {
    return `${this.text.doing}: ${this.text.why}\n${this.next} (${this.code})`
  }

  /** For machines. */
  toJSON(): ErrorBody {
    const { doing, why, details } = this.text
    return { code: this.code, doing, why, next: this.next, ...(details && { details }) }
  }
}

function cleanErrorText({ doing, why, next, cause, details }: ErrorText): ErrorText {
  return {
    doing: cleanText(doing),
    why: cleanText(why),
    ...(next !== undefined && { next: cleanText(next) }),
    ...(cause !== undefined && { cause }),
    ...(details && { details: cleanJson(details) }),
  }
}

/** Rebuilds an error that came over the wire. */
export function errorFromBody(body: ErrorBody): TrueupError {
  return new TrueupError(body.code in ERRORS ? body.code : 'INTERNAL', body)
}

/** Any thrown value as a TrueupError; unknown ones become INTERNAL with the original as cause. */
export function asTrueupError(thrown: unknown, doing: string): TrueupError {
  if (thrown instanceof TrueupError) return thrown
  const why = thrown instanceof Error ? thrown.message : String(thrown)
  return new TrueupError('INTERNAL', { doing, why, cause: thrown })
}
