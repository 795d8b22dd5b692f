import { asText } from './compare.ts'
import type { Json, JsonObject } from '../../src/lib/json.ts'
import { ServiceError } from './answer.ts'
import { KNOWN_AFTER_APPLY } from './model.ts'

/** What expressions of a template may look at. */
export interface Scope {
  parameters: { [name: string]: Json }
  pseudo: { [name: string]: Json }
  conditions: { [name: string]: Json }
  mappings: JsonObject
  /** `Ref` of a resource, or undefined where the template has none of that name. */
  ref(logicalId: string): Json | undefined
  attribute(logicalId: string, name: string): Json | undefined
  exported(name: string): Json | undefined
}

const NO_VALUE = Symbol('AWS::NoValue')
type Resolved = Json | typeof NO_VALUE

/** Resolves the intrinsic functions of a value. Unknown references are ValidationErrors, in the service's words. */
export function resolve(value: Json, scope: Scope): Json {
  const result = evaluate(value, scope)
  return result === NO_VALUE ? null : result
}

function evaluate(value: Json, scope: Scope): Resolved {
  if (Array.isArray(value))
    return value.map((item) => evaluate(item, scope)).filter((item): item is Json => item !== NO_VALUE)
  if (value === null || typeof value !== 'object') return value
  const [[name, argument] = ['', null]] = Object.entries(value)
  if (Object.keys(value).length === 1 && (name === 'Ref' || name === 'Condition' || name.startsWith('Fn::'))) {
    const operation = OPERATIONS[name]
    if (operation) return operation(argument as Json, scope)
    if (name !== 'Condition') throw new ServiceError('ValidationError', `Template error: unsupported function: ${name}`)
  }
  const entries = Object.entries(value).map(([key, inner]): [string, Resolved] => [key, evaluate(inner, scope)])
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== NO_VALUE))
}

const OPERATIONS: { readonly [name: string]: (argument: Json, scope: Scope) => Resolved } = {
  Ref: (argument, scope) => reference(asText(argument), scope),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, ...rest] = typeof argument === 'string' ? argument.split('.') : (argument as string[])
    return attribute(String(logicalId), rest.join('.'), scope)
  },
  'Fn::Sub': (argument, scope) => {
    const [text, given] = Array.isArray(argument) ? (argument as [string, JsonObject]) : [asText(argument), {}]
    return substitute(text, given, scope)
  },
  'Fn::Join': (argument, scope) => {
    const [separator, list] = argument as [string, Json]
    return (resolve(list, scope) as Json[]).map(String).join(separator)
  },
  'Fn::Select': (argument, scope) => {
    const [index, list] = argument as [Json, Json]
    return (resolve(list, scope) as Json[])[Number(resolve(index, scope))] ?? null
  },
  'Fn::Split': (argument, scope) => {
    const [separator, text] = argument as [string, Json]
    return asText(resolve(text, scope)).split(separator)
  },
  'Fn::Base64': (argument, scope) => Buffer.from(asText(resolve(argument, scope))).toString('base64'),
  'Fn::If': (argument, scope) => {
    const [condition, yes, no] = argument as [string, Json, Json]
    return evaluate(conditionNamed(condition, scope) ? yes : no, scope)
  },
  'Fn::Equals': (argument, scope) => {
    const [left, right] = (resolve(argument, scope) as Json[]).map(String)
    return left === right
  },
  'Fn::And': (argument, scope) => (resolve(argument, scope) as Json[]).every(Boolean),
  'Fn::Or': (argument, scope) => (resolve(argument, scope) as Json[]).some(Boolean),
  'Fn::Not': (argument, scope) => !(resolve(argument, scope) as Json[])[0],
  Condition: (argument, scope) => (typeof argument === 'string' ? conditionNamed(argument, scope) : argument),
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = (resolve(argument, scope) as Json[]).map(String) as [string, string, string]
    const found = (scope.mappings[map] as JsonObject | undefined)?.[first] as JsonObject | undefined
    if (found?.[second] === undefined)
      throw new ServiceError('ValidationError', `Template error: Unable to get mapping for ${map}::${first}::${second}`)
    return found[second]
  },
  'Fn::GetAZs': (_argument, scope) => ['a', 'b', 'c'].map((zone) => `${asText(scope.pseudo['AWS::Region'])}${zone}`),
  'Fn::ImportValue': (argument, scope) => {
    const name = asText(resolve(argument, scope))
    const value = scope.exported(name)
    if (value === undefined) throw new ServiceError('ValidationError', `No export named ${name} found.`)
    return value
  },
}

function reference(name: string, scope: Scope): Resolved {
  if (name === 'AWS::NoValue') return NO_VALUE
  const found = scope.parameters[name] ?? scope.pseudo[name] ?? scope.ref(name)
  if (found === undefined) {
    throw new ServiceError(
      'ValidationError',
      `Template format error: Unresolved resource dependencies [${name}] in the Resources block of the template`,
    )
  }
  return found
}

function attribute(logicalId: string, name: string, scope: Scope): Json {
  const found = scope.attribute(logicalId, name)
  if (found !== undefined) return found
  throw new ServiceError(
    'ValidationError',
    `Template error: instance of Fn::GetAtt references undefined resource ${logicalId} or attribute ${name}`,
  )
}

function conditionNamed(name: string, scope: Scope): boolean {
  const condition = scope.conditions[name]
  if (condition === undefined)
    throw new ServiceError('ValidationError', `Template error: unresolved condition dependency ${name}`)
  return Boolean(resolve(condition, scope))
}

function substitute(text: string, given: JsonObject, scope: Scope): Json {
  let unknown = false
  const result = text.replaceAll(/\$\{(!?)([^}]+)\}/g, (_whole, literal: string, name: string) => {
    if (literal) return `\${${name}}`
    const inner =
      given[name] !== undefined
        ? resolve(given[name], scope)
        : name.includes('.')
          ? attribute(name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1), scope)
          : reference(name, scope)
    if (inner === KNOWN_AFTER_APPLY) unknown = true
    return asText(inner as Json)
  })
  return unknown ? KNOWN_AFTER_APPLY : result
}

/** Logical ids that a value refers to. */
export function referencesOf(value: Json, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const item of value) referencesOf(item, found)
  else if (value !== null && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      if (name === 'Ref' || name === 'DependsOn') for (const id of [inner].flat()) found.add(asText(id))
      else if (name === 'Fn::GetAtt')
        found.add(typeof inner === 'string' ? inner.split('.')[0]! : asText((inner as Json[])[0]))
      else if (name === 'Fn::Sub') {
        const texts = Array.isArray(inner) ? inner : [inner]
        for (const match of asText(texts[0]).matchAll(/\$\{([^}!.]+)(\.[^}]*)?\}/g)) found.add(match[1]!)
      }
      referencesOf(inner, found)
    }
  }
  return found
}
