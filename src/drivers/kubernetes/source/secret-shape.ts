import type { Json } from '../../../lib/json.ts'
import { asJson, isObject, type KubeObject } from '../objects/object.ts'

/**
 * What an API server would refuse of a Secret: it quotes the value then, in an error that everybody reads. So it is not
 * asked, and these sentences say where and what kind of value it is, never which. Values of null are empty ones.
 */
export function shapeProblems(secret: KubeObject): string[] {
  const { data, stringData } = asJson(secret)
  return Object.entries({ data, stringData }).flatMap(([member, values]) => {
    if (values === undefined || values === null) return []
    if (!isObject(values)) return [`${member} is ${kindOf(values)} and has to be a map`]
    return Object.entries(values).flatMap(([key, value]) => {
      if (value === null) return []
      if (typeof value !== 'string')
        return [`${member}.${key} is ${kindOf(value)} and has to be a text: put it in quotes`]
      return member === 'data' && !isBase64(value) ? [`data.${key} is no base64; plain text goes under stringData`] : []
    })
  })
}

/** Of a broken YAML text whose words may be those of a Secret, only the kind of mistake is told. */
export const mayHoldSecret = (text: string): boolean => /\bkind["']?\s*:\s*["']?Secret\b/.test(text)

export const kindOf = (value: Json): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'a map' : `a ${typeof value}`

/** As Go reads it: padded, in the standard alphabet; line breaks of folded text are nothing. */
function isBase64(text: string): boolean {
  const plain = text.replaceAll(/\s/g, '')
  return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain)
}
