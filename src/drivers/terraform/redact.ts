import { literals } from '../../lib/literals.ts'
import type { Json } from '../../lib/json.ts'
import type { DriverContext } from '../driver.ts'
import type { Redact } from './attributes.ts'
import type { PlanJson, StateModule } from './plan-json.ts'

/** A shorter secret would hide half of every plan; Terraform's own masks still hide it where they stand. */
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
 * Nothing sensitive leaves the worker: what the plan's masks cover is replaced by keyed hashes, and so is every value that
 * equals or contains a known secret, because Terraform loses sensitivity through computed attributes (an attribute
 * `output` shows in clear what a sensitive variable put into `input`). Paths of this run's private directories become
 * placeholders, so that two plans of one commit made in two places are equal.
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
  return {
    value: (value, sensitive) => {
      if (!sensitive && !holdsSecret(value)) return { value: withoutPaths(context, value), sensitive: false }
      return { value: context.hash(value), sensitive: true }
    },
    text: (message) => {
      let hidden = ''
      let at = 0
      for (const [from, to] of contained.find(message)) {
        hidden += `${message.slice(at, from)}***`
        at = to
      }
      return withoutPaths(context, hidden + message.slice(at)) as string
    },
  }
}

/** Text of every sensitive value the plan knows: inputs, variables declared sensitive, what masks cover, data sources. */
export function secretsOf(context: DriverContext<unknown>, plan: PlanJson): string[] {
  const secrets = new Set<string>()
  for (const input of Object.values(context.inputs)) if (input.sensitive) collect(input.value, true, secrets)
  for (const [name, declared] of Object.entries(plan.configuration.root_module.variables)) {
    if (declared.sensitive) collect(plan.variables[name]?.value ?? null, true, secrets)
  }
  for (const { change } of [...plan.resource_changes, ...plan.resource_drift]) {
    collect(change.before ?? null, change.before_sensitive ?? null, secrets)
    collect(change.after ?? null, change.after_sensitive ?? null, secrets)
  }
  for (const change of Object.values(plan.output_changes)) {
    collect(change.before ?? null, change.before_sensitive ?? null, secrets)
    collect(change.after ?? null, change.after_sensitive ?? null, secrets)
  }
  collectData(plan.prior_state.values?.root_module, secrets)
  secrets.delete('')
  return [...secrets]
}

function collectData(module: StateModule | undefined, into: Set<string>): void {
  for (const { mode, values, sensitive_values: mask } of module?.resources ?? []) {
    if (mode === 'data') collect(values ?? null, mask ?? null, into)
  }
  for (const child of module?.child_modules ?? []) collectData(child, into)
}

function collect(value: Json, mask: Json, into: Set<string>): void {
  if (value === null || mask === null || mask === false) return
  if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      const own = typeof mask === 'object' && Object.hasOwn(mask, key) ? (mask as { [key: string]: Json })[key] : null
      collect(inner, mask === true ? true : (own ?? null), into)
    }
  } else if (mask === true && typeof value !== 'boolean') into.add(String(value))
}

function withoutPaths(context: DriverContext<unknown>, value: Json): Json {
  if (typeof value === 'string') {
    return value.replaceAll(context.workspace, '<workspace>').replaceAll(context.scratch, '<scratch>')
  }
  if (Array.isArray(value)) return value.map((inner) => withoutPaths(context, inner))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutPaths(context, inner)]))
}
