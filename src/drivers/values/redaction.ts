import { toldOfSecret } from '../../domain/plans/secret-text.ts'
import { literals } from '../../lib/literals.ts'
import type { Json } from '../../lib/json.ts'
import type { DriverContext } from '../driver.ts'
import type { Redact } from './attributes.ts'

/** A shorter secret would hide half of every plan; the tool's own marks still hide it where they stand. */
const MIN_EQUAL = 3
const MIN_CONTAINED = 6
const MIN_LOGGED = 4

export interface Redaction {
  /** For values of attributes and outputs. */
  value: Redact
  /** For messages of the tool. */
  text: (message: string) => string
}

/**
 * Nothing sensitive leaves the worker: what the tool marks as sensitive is replaced by keyed hashes, and so is every value
 * that equals or contains a known secret, because tools lose sensitivity on the way (Terraform through computed attributes,
 * a diff of a file with a password in it). Paths of this run's private directories become placeholders, so that two plans
 * of one commit made in two places are equal.
 */
export function redactionFor(context: DriverContext<unknown>, secrets: readonly string[]): Redaction {
  const exact = new Set(secrets.filter((secret) => secret.length >= MIN_EQUAL))
  const contained = literals()
  for (const secret of secrets) if (secret.length >= MIN_CONTAINED) contained.add(secret)
  for (const secret of secrets) if (secret.length >= MIN_LOGGED) context.mask(secret)

  const holdsSecret = (value: Json): boolean => {
    if (value === null || typeof value === 'boolean') return false
    if (typeof value === 'number') return exact.has(String(value))
    if (typeof value === 'string') return exact.has(value) || contained.find(value).length > 0
    return Object.entries(value).some(
      ([key, inner]) => holdsSecret(inner) || (!Array.isArray(value) && holdsSecret(key)),
    )
  }
  const text = (message: string): string => {
    let hidden = ''
    let at = 0
    for (const [from, to] of contained.find(message)) {
      hidden += `${message.slice(at, from)}***`
      at = to
    }
    return withoutPaths(context, hidden + message.slice(at)) as string
  }
  const value: Redact = (given, sensitive) => {
    if (!sensitive && !holdsSecret(given)) return { value: withoutPaths(context, given), sensitive: false }
    return { value: context.hash(given), sensitive: true }
  }
  value.told = (before, after, marked) => {
    const told = toldOfSecret(before, after, context.showSecretDiff === true && !marked)
    return told === undefined ? undefined : text(told)
  }
  return { value, text }
}

/** The texts in the stack's sensitive inputs: what every driver must hide. */
export function secretInputs(context: Pick<DriverContext<unknown>, 'inputs'>): string[] {
  return Object.values(context.inputs).flatMap(({ value, sensitive }) => (sensitive ? scalarsIn(value) : []))
}

/** The values inside a JSON value as text, without null and booleans, which are no secrets. */
export function scalarsIn(value: Json): string[] {
  if (value === null || typeof value === 'boolean') return []
  return typeof value === 'object' ? Object.values(value).flatMap(scalarsIn) : [String(value)]
}

function withoutPaths(context: DriverContext<unknown>, value: Json): Json {
  if (typeof value === 'string') {
    return value.replaceAll(context.workspace, '<workspace>').replaceAll(context.scratch, '<scratch>')
  }
  if (Array.isArray(value)) return value.map((inner) => withoutPaths(context, inner))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutPaths(context, inner)]))
}
