import { Ajv, type ValidateFunction } from 'ajv'
import described from './answers.json' with { type: 'json' }

/**
 * Answers by GitHub's own description of its API (`answers.json`, written by scripts/github-answers.ts). A double says what
 * matters; what the description requires beside it is filled in, and the whole is held against it: a field that it does not
 * know, or of another type, is a fault of the double.
 */
export type Operation = keyof typeof described.answers

interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  properties?: { [name: string]: Schema }
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
}

const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
const validators = new Map<string, ValidateFunction>()
const definitions = described.definitions as { [name: string]: Schema }
const answers = described.answers as { [operation: string]: { [status: string]: Schema | null } }

/** The whole answer. Throws where the description has no such answer. */
export function asDescribed(operation: Operation, status: number, given: unknown): unknown {
  const schema = answers[operation]?.[status]
  if (schema === undefined) throw new Error(`${operation} does not answer ${status}`)
  if (schema === null) return undefined
  const key = `${operation} ${status}`
  const validate = validators.get(key) ?? ajv.compile({ ...schema, definitions })
  validators.set(key, validate)
  const whole = filled(schema, given, key)
  if (!validate(whole)) throw new Error(`${key}: ${ajv.errorsText(validate.errors).slice(0, 500)}`)
  return whole
}

function filled(source: Schema, given: unknown, where: string): unknown {
  const schema = resolved(source)
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) {
    const isNullable = choices.some(({ type }) => type === 'null')
    if (isNullable && (given === null || given === undefined)) return null
    const [choice = {}] = choices.filter((its) => its.type !== 'null' && fits(resolved(its), given))
    return filled(choice, given, where)
  }
  const types = [schema.type ?? (schema.properties ? 'object' : [])].flat()
  if (given === null || (given === undefined && types.includes('null'))) return null
  if (types.includes('object')) return filledObject(schema, (given ?? {}) as { [name: string]: unknown }, where)
  if (types.includes('array'))
    return ((given ?? []) as unknown[]).map((item, at) => filled(schema.items ?? {}, item, `${where}/${at}`))
  return given ?? defaultOf(schema, types)
}

function filledObject(schema: Schema, given: { [name: string]: unknown }, where: string): unknown {
  const properties = schema.properties ?? {}
  if (Object.keys(properties).length === 0) return given
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(properties, name))
  if (unknown.length > 0) throw new Error(`${where}: the description has no ${unknown.join(', ')}`)
  const names = new Set([...(schema.required ?? []), ...Object.keys(given).filter((name) => given[name] !== undefined)])
  return Object.fromEntries(
    [...names].map((name) => [name, filled(properties[name] ?? {}, given[name], `${where}/${name}`)]),
  )
}

function resolved(schema: Schema): Schema {
  if (schema.$ref) return resolved(definitions[schema.$ref.replace('#/definitions/', '')]!)
  if (!schema.allOf) return schema
  const all = [schema, ...schema.allOf.map(resolved)]
  return {
    type: 'object',
    properties: Object.assign({}, ...all.map(({ properties }) => properties)),
    required: all.flatMap(({ required }) => required ?? []),
  }
}

function fits({ type, properties, anyOf, oneOf }: Schema, given: unknown): boolean {
  if (given === undefined) return true
  if (typeof given !== 'object') return [type].flat().includes(typeof given)
  return type === 'object' || (properties ?? anyOf ?? oneOf) !== undefined
}

function defaultOf({ format, enum: values }: Schema, types: readonly string[]): unknown {
  if (values) return values[0]
  if (types.includes('boolean')) return false
  if (types.includes('integer') || types.includes('number')) return 0
  if (format === 'date-time') return '2026-01-01T00:00:00Z'
  return format === 'uri' ? 'https://forge.example.test/' : 'x'
}
