import { z } from 'zod'
import { didYouMean, nearest } from '../suggest.ts'
import type { LineOf } from './document.ts'
import { type Problem, pathText } from './problems.ts'

type Issue = z.core.$ZodIssue

/** zod's issues as problems in the words of people who write YAML, each with its line. */
export function shapeProblems(schema: z.ZodType, value: unknown, issues: readonly Issue[], lineOf: LineOf): Problem[] {
  // A misspelt key is both unknown and missing; once its right name is suggested, the second complaint is noise.
  const meant = new Set(
    issues.flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') return []
      const known = keysAt(schema, issue.path)
      return issue.keys.map((key) => pathText([...issue.path, nearest(key, known) ?? '']))
    }),
  )
  return issues
    .flatMap((issue) => problemsOf(schema, value, issue, [], lineOf))
    .filter(({ path, message }) => !(message.startsWith(MISSING) && meant.has(path)))
}

function problemsOf(
  schema: z.ZodType,
  root: unknown,
  issue: Issue,
  above: readonly PropertyKey[],
  lineOf: LineOf,
): Problem[] {
  const path = [...above, ...issue.path]
  const at = (message: string, where = path): Problem => ({ line: lineOf(where), path: pathText(where), message })
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = keysAt(schema, path)
      return issue.keys.map((key) => ({
        line: lineOf([...path, key]),
        path: pathText(path),
        message: `unknown key ${JSON.stringify(key.slice(0, 80))}${didYouMean(key, known) || listOf(known)}`,
      }))
    }
    case 'invalid_type':
      return [at(typeMessage(issue.expected, valueAt(root, path)))]
    case 'invalid_value': {
      const choices = issue.values.map(String)
      const given = valueAt(root, path)
      if (given === undefined) return [at(`${MISSING}; it must be ${choices.join(', ')}`)]
      return [
        at(
          `must be ${oneOf(choices)}, not ${show(given)}${typeof given === 'string' ? didYouMean(given, choices) : ''}`,
        ),
      ]
    }
    case 'invalid_format':
      return [at(`${show(valueAt(root, path))} does not fit: ${issue.message}`)]
    case 'invalid_key':
      return [
        at(`the name ${JSON.stringify(String(path.at(-1)).slice(0, 80))} does not fit: ${issue.issues[0]?.message}`),
      ]
    case 'invalid_union':
      return unionProblems(schema, root, issue, path, lineOf)
    case 'too_big':
      return [
        at(`is ${issue.origin === 'string' || issue.origin === 'array' ? 'longer' : 'more'} than ${issue.maximum}`),
      ]
    case 'too_small':
      return [
        at(
          issue.minimum === 1 && issue.origin !== 'number' ? 'must not be empty' : `must be at least ${issue.minimum}`,
        ),
      ]
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return [at(issue.message)]
  }
}

/** Of several allowed shapes, the complaints about the one whose kind (text, list, mapping) the value has. */
function unionProblems(
  schema: z.ZodType,
  root: unknown,
  issue: Issue & { code: 'invalid_union' },
  path: readonly PropertyKey[],
  lineOf: LineOf,
): Problem[] {
  // A schema that has words of its own knows best what was meant.
  if (issue.message !== 'Invalid input') return [{ line: lineOf(path), path: pathText(path), message: issue.message }]
  const value = valueAt(root, path)
  const fitting = issue.errors.find(
    (issues) => !issues.some((one) => one.code === 'invalid_type' && one.path.length === 0),
  )
  if (fitting) return fitting.flatMap((one) => problemsOf(schema, root, one, path, lineOf))
  return [{ line: lineOf(path), path: pathText(path), message: `${show(value)} is not a value that can stand here` }]
}

const MISSING = 'is missing'

const KINDS: { [expected: string]: string } = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
}

function typeMessage(expected: string, given: unknown): string {
  const wanted = KINDS[expected] ?? expected
  if (given === undefined) return `${MISSING}; it must be ${wanted}`
  if (given === null) return `has no value; it must be ${wanted}`
  const quotes = expected === 'string' && typeof given !== 'object' ? ' (put it in quotes)' : ''
  return `must be ${wanted}, not ${show(given)}${quotes}`
}

function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a mapping'
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : `the ${typeof value} ${String(value)}`
}

const oneOf = (choices: readonly string[]) =>
  choices.length === 1 ? choices[0] : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`

const listOf = (known: readonly string[]) => (known.length === 0 ? '' : `; known are ${known.join(', ')}`)

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as { [key: PropertyKey]: unknown })[part]
  }
  return value
}

/** The keys that the schema knows at a path. */
function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let options: z.ZodType[] = [schema]
  for (const part of [...path, null]) {
    options = options.flatMap(unwrap)
    if (part === null) break
    options = options.flatMap((option): z.ZodType[] => {
      if (option instanceof z.ZodObject) return part in option.shape ? [option.shape[part as string] as z.ZodType] : []
      if (option instanceof z.ZodArray) return [option.element as z.ZodType]
      return option instanceof z.ZodRecord ? [option.valueType as z.ZodType] : []
    })
  }
  return options.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []))
}

function unwrap(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return unwrap(schema.unwrap() as z.ZodType)
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap(unwrap)
  return [schema]
}
