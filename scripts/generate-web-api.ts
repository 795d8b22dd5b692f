/**
 * Writes web/src/api/schema.ts, the types of the API for the web application, from docs/api/openapi.json; `--check`
 * compares instead. Our own, because the known generator needs the JavaScript API of TypeScript 5, which 7 has not.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  oneOf?: Schema[]
  allOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
  description?: string
}
interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> }
  responses?: Record<string, { content?: Record<string, { schema: Schema }> }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const root = join(import.meta.dirname, '..')
const file = join(root, 'web', 'src', 'api', 'schema.ts')
const document = JSON.parse(readFileSync(join(root, 'docs', 'api', 'openapi.json'), 'utf8')) as Document

/** The TypeScript type of a JSON schema, on one line but for objects. */
function typeOf(schema: Schema): string {
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1)!
    // Any JSON: a recursive schema, of which the document keeps the reference only.
    return name in document.components.schemas ? `components['schemas']['${name}']` : 'unknown'
  }
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const either = schema.anyOf ?? schema.oneOf
  if (either) return union(either.map(typeOf))
  if (schema.allOf) return schema.allOf.map(typeOf).join(' & ')
  if (Array.isArray(schema.type)) return union(schema.type.map((type) => typeOf({ ...schema, type })))
  if (schema.type === 'array') return `(${typeOf(schema.items ?? {})})[]`
  if (schema.type === 'object' || schema.properties) return objectOf(schema)
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (schema.type === 'string' || schema.type === 'boolean' || schema.type === 'null') return schema.type
  return 'unknown'
}

const union = (types: readonly string[]): string =>
  types.includes('unknown') ? 'unknown' : [...new Set(types)].join(' | ')

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): string {
  const members = Object.entries(properties).map(([name, schema]) => {
    const note = schema.description ? `/** ${schema.description.replaceAll('*/', '* /')} */ ` : ''
    return `${note}${JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema)}`
  })
  if (members.length > 0) return `{ ${members.join('; ')} }`
  return typeof additionalProperties === 'object'
    ? `Record<string, ${typeOf(additionalProperties)}>`
    : 'Record<string, unknown>'
}

function operationOf({ parameters = [], requestBody, responses = {} }: Operation): string {
  const groups = ['path', 'query', 'header'].flatMap((place) => {
    const inPlace = parameters.filter((parameter) => parameter.in === place)
    if (inPlace.length === 0) return [`${place}?: never`]
    const optional = inPlace.every(({ required }) => !required)
    const members = inPlace.map(
      ({ name, required, schema }) => `${JSON.stringify(name)}${required ? '' : '?'}: ${typeOf(schema)}`,
    )
    return [`${place}${optional ? '?' : ''}: { ${members.join('; ')} }`]
  })
  const body = requestBody?.content['application/json']
  const answers = Object.entries(responses).map(([status, { content }]) => {
    const schema = content?.['application/json']?.schema
    return `${status}: { content: ${schema ? `{ 'application/json': ${typeOf(schema)} }` : 'never'} }`
  })
  return `{ parameters: { ${groups.join('; ')} }; requestBody${body && requestBody?.required ? '' : '?'}: ${
    body ? `{ content: { 'application/json': ${typeOf(body.schema)} } }` : 'never'
  }; responses: { ${answers.join('; ')} } }`
}

const METHODS = new Set(['get', 'put', 'post', 'delete', 'patch'])
const lines = [
  '// Made from docs/api/openapi.json by `npm run generate`. Do not edit.',
  'export interface components { schemas: {',
  ...Object.entries(document.components.schemas).map(([name, schema]) => `  ${name}: ${typeOf(schema)}`),
  '} }',
  'export interface paths {',
  ...Object.entries(document.paths).map(([path, operations]) => {
    const members = Object.entries(operations)
      .filter(([method]) => METHODS.has(method))
      .map(([method, operation]) => `    ${method}: ${operationOf(operation)}`)
    return `  ${JSON.stringify(path)}: {\n${members.join('\n')} }`
  }),
  '}',
  '',
]
const text = lines.join('\n')
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('web/src/api/schema.ts is not what the API says: run `npm run generate` and commit it')
    process.exit(1)
  }
} else writeFileSync(file, text)
