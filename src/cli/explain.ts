import { didYouMean } from '../domain/suggest.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { ERRORS } from '../lib/errors/table.ts'

/** A part of a JSON Schema, as far as it is told to people. */
interface Part {
  description?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  pattern?: string
  minimum?: number
  maximum?: number
  properties?: { [name: string]: Part }
  additionalProperties?: Part | boolean
  required?: string[]
  items?: Part
  anyOf?: Part[]
  oneOf?: Part[]
}

export interface Explained {
  topic: string
  lines: string[]
}

/** What an error code means and what to do; NOT_FOUND with the nearest one for a code that there is not. */
export function explainCode(code: string): Explained {
  const known = ERRORS[code.toUpperCase() as keyof typeof ERRORS] as (typeof ERRORS)[keyof typeof ERRORS] | undefined
  if (known === undefined) throw unknown(`the error code ${code}`, didYouMean(code.toUpperCase(), Object.keys(ERRORS)))
  const { status, retry, hint } = known
  return {
    topic: code.toUpperCase(),
    lines: [
      hint,
      retry === 'retryable'
        ? 'The same call may work later.'
        : 'The same call will fail again until something is changed.',
      `HTTP status ${status}.`,
    ],
  }
}

/**
 * What a key of trueup.yaml means: `stacks.inputs`, `environments.production.approvals`. Names and positions in between may
 * be left out or given.
 */
export function explainKey(schema: unknown, path: string): Explained {
  const words = path === '' ? [] : path.replaceAll(/\[\d+\]/g, '').split('.')
  let at = schema as Part
  for (const [index, word] of words.entries()) {
    const found = step(at, word)
    if (found === null) {
      const above = words.slice(0, index).join('.')
      const where = above === '' ? 'trueup.yaml' : above
      throw unknown(
        `the key ${path}`,
        `${didYouMean(word, Object.keys(keysOf(at)))}: ${where} has ${Object.keys(keysOf(at)).join(', ') || 'no keys'}`,
      )
    }
    at = found
  }
  return { topic: path === '' ? 'trueup.yaml' : path, lines: linesOf(at) }
}

function linesOf(part: Part): string[] {
  const keys = Object.entries(keysOf(part))
  const required = new Set(inner(part).required)
  return [
    ...(part.description === undefined ? [] : [part.description]),
    ...(valueOf(part) === '' ? [] : [`Value: ${valueOf(part)}`]),
    ...(keys.length === 0 ? [] : ['Keys:']),
    ...keys.map(
      ([name, { description = '' }]) => `  ${name}${required.has(name) ? ' (required)' : ''}: ${description}`,
    ),
  ]
}

/** Lists and maps are looked through: what people ask about are their members. */
function inner(part: Part): Part {
  if (part.items !== undefined) return inner(part.items)
  if (typeof part.additionalProperties === 'object' && part.properties === undefined)
    return inner(part.additionalProperties)
  return part
}

function keysOf(part: Part): { [name: string]: Part } {
  const here = inner(part)
  return Object.assign({}, here.properties, ...(here.anyOf ?? here.oneOf ?? []).map(keysOf)) as { [name: string]: Part }
}

function step(part: Part, word: string): Part | null {
  const direct = keysOf(part)[word]
  if (direct !== undefined) return direct
  // `environments.production`: the name is the person's own.
  const named = part.items ?? part
  return typeof named.additionalProperties === 'object' && named.properties === undefined
    ? named.additionalProperties
    : null
}

function valueOf(part: Part): string {
  if (part.const !== undefined) return JSON.stringify(part.const)
  if (part.enum !== undefined) return part.enum.map((each) => JSON.stringify(each)).join(', ')
  const choices = part.anyOf ?? part.oneOf
  if (choices !== undefined) return [...new Set(choices.map(valueOf).filter((text) => text !== ''))].join(', or ')
  if (part.items !== undefined) return `a list of ${valueOf(part.items) || 'entries'}`
  if (part.type === undefined) return ''
  const type = { object: 'a mapping', string: 'a text', integer: 'a whole number', boolean: 'true or false' } as const
  const name = type[String(part.type) as keyof typeof type] ?? String(part.type)
  const { minimum, maximum } = part
  const range = minimum !== undefined && maximum !== undefined ? ` from ${minimum} to ${maximum}` : ''
  return `${name}${range}${part.default === undefined ? '' : `, ${JSON.stringify(part.default)} where absent`}`
}

const unknown = (what: string, more: string): TrueupError =>
  new TrueupError('NOT_FOUND', {
    doing: `explaining ${what}`,
    why: `there is none${more}`,
    next: 'Run `trueup explain` for what can be explained.',
  })
