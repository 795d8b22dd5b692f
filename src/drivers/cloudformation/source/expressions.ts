import { asText } from '../template/text.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'

/** A secret that AWS looks up itself (`{{resolve:ssm-secure:…}}`); its value never comes near us, its text is no secret. */
const DYNAMIC = /\{\{resolve:(ssm-secure|secretsmanager):/

/** Names that an expression refers to: parameters, resources, pseudo parameters. */
export function referencesOf(value: Json, found = new Set<string>()): Set<string> {
  if (value === null || typeof value !== 'object') return found
  if (Array.isArray(value)) {
    for (const item of value) referencesOf(item, found)
    return found
  }
  for (const [name, inner] of Object.entries(value)) {
    if (name === 'Ref' && typeof inner === 'string') found.add(inner)
    else if (name === 'Fn::GetAtt') found.add(asText(Array.isArray(inner) ? inner[0] : inner).split('.')[0] ?? '')
    else if (name === 'Fn::Sub') {
      const text = Array.isArray(inner) ? inner[0] : inner
      for (const [, variable = ''] of asText(text).matchAll(/\$\{([^!}][^}]*)\}/g))
        found.add(variable.split('.')[0] ?? '')
    }
    referencesOf(inner, found)
  }
  return found
}

/**
 * A mask over an expression: true where the value comes of a sensitive parameter or of a secret that AWS looks up, so
 * that a plan hides that place and nothing else. References through conditions (`Fn::If`) count by their branches.
 */
export function sensitiveMask(value: Json, sensitive: ReadonlySet<string>): Json {
  if (typeof value === 'string') return DYNAMIC.test(value)
  if (value === null || typeof value !== 'object') return false
  if (Array.isArray(value)) return value.map((item) => sensitiveMask(item, sensitive))
  const entries = Object.entries(value)
  const [name] = entries[0] ?? ['']
  if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) {
    const refers = [...referencesOf(value)].some((reference) => sensitive.has(reference))
    return refers || DYNAMIC.test(JSON.stringify(value))
  }
  return Object.fromEntries(entries.map(([key, inner]) => [key, sensitiveMask(inner, sensitive)]))
}

export const hasTrue = (mask: Json | undefined): boolean =>
  mask !== null && typeof mask === 'object' ? Object.values(mask).some(hasTrue) : mask === true

/**
 * What of an expression is known without AWS: literals, parameters, `Sub` and `Join` of such. `mask` is true where it is
 * not, and the value is null there.
 */
export function knownOf(value: Json, parameters: { [name: string]: string }): { value: Json; mask: Json } {
  if (value === null || typeof value !== 'object') return { value, mask: false }
  if (Array.isArray(value)) {
    const items = value.map((item) => knownOf(item, parameters))
    return { value: items.map((item) => item.value), mask: items.map((item) => item.mask) }
  }
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    const text = textOf(first[0], first[1], parameters)
    return text === undefined ? { value: null, mask: true } : { value: text, mask: false }
  }
  const inner = entries.map(([key, member]) => [key, knownOf(member, parameters)] as const)
  return {
    value: Object.fromEntries(inner.map(([key, one]) => [key, one.value])),
    mask: Object.fromEntries(inner.map(([key, one]) => [key, one.mask])),
  }
}

function textOf(name: string, argument: Json, parameters: { [name: string]: string }): string | undefined {
  if (name === 'Ref' && typeof argument === 'string') return parameters[argument]
  if (name === 'Fn::Sub' && typeof argument === 'string') {
    let known = true
    const text = argument.replaceAll(/\$\{(!?)([^}]+)\}/g, (_whole, literal: string, variable: string) => {
      if (literal) return `\${${variable}}`
      if (parameters[variable] === undefined) known = false
      return parameters[variable] ?? ''
    })
    return known ? text : undefined
  }
  if (name === 'Fn::Join' && Array.isArray(argument) && Array.isArray(argument[1])) {
    const { value, mask } = knownOf(argument[1], parameters)
    return hasTrue(mask) ? undefined : (value as Json[]).map(String).join(asText(argument[0]))
  }
  return undefined
}

/** Resources of a template by logical id; loops (`Fn::ForEach`) and what is no resource are left out. */
export function resourcesIn(template: JsonObject): [string, JsonObject][] {
  const resources = template['Resources']
  if (resources === null || typeof resources !== 'object' || Array.isArray(resources)) return []
  return Object.entries(resources as JsonObject).filter(
    (entry): entry is [string, JsonObject] =>
      entry[1] !== null && typeof entry[1] === 'object' && !Array.isArray(entry[1]) && !entry[0].startsWith('Fn::'),
  )
}

export function propertiesOf(resource: JsonObject | undefined): JsonObject {
  const properties = resource?.['Properties']
  return properties !== null && typeof properties === 'object' && !Array.isArray(properties)
    ? (properties as JsonObject)
    : {}
}
