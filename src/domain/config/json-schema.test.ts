import { globSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { schemaStoreSchema, trueupJsonSchema } from './json-schema.ts'

interface Schema {
  description?: string
  properties?: { [key: string]: Schema }
  additionalProperties?: Schema | boolean
  items?: Schema
  anyOf?: Schema[]
}

it('the file that editors read is equal to its source', () => {
  const file = readFileSync(new URL('../../../schema/trueup.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(file), 'run `npm run generate`').toEqual(JSON.parse(JSON.stringify(trueupJsonSchema())))
})

it('every key has words that explain it', () => {
  const silent: string[] = []
  const look = (schema: Schema, path: string) => {
    for (const [key, member] of Object.entries(schema.properties ?? {})) {
      if (!member.description) silent.push(`${path}.${key}`)
      look(member, `${path}.${key}`)
    }
    if (typeof schema.additionalProperties === 'object') look(schema.additionalProperties, `${path}.*`)
    if (schema.items) look(schema.items, `${path}[]`)
    for (const option of schema.anyOf ?? []) look(option, path)
  }
  look(trueupJsonSchema() as Schema, '')
  expect(silent).toEqual([])
})

it('knows the required keys and refuses others', () => {
  expect(trueupJsonSchema()).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    required: ['version', 'environments', 'stacks'],
    additionalProperties: false,
  })
})

describe('the form for SchemaStore', () => {
  const root = new URL('../../../', import.meta.url).pathname
  const accepts = new Ajv({ strict: true, strictTypes: false, allowUnionTypes: true }).compile(schemaStoreSchema())
  const examples = globSync('examples/*/trueup.yaml', { cwd: root })

  it('is equal to its source, and stands under the address of its entry', () => {
    const read = (name: string): unknown => JSON.parse(readFileSync(`${root}schema/schemastore/${name}`, 'utf8'))
    expect(read('trueup.json'), 'run `npm run generate`').toEqual(JSON.parse(JSON.stringify(schemaStoreSchema())))
    expect(read('catalog-entry.json')).toMatchObject({ fileMatch: ['trueup.yaml'], url: schemaStoreSchema()['$id'] })
  })

  it.each(examples)('takes %s', (name) => {
    const valid = accepts(parse(readFileSync(root + name, 'utf8')))
    expect(accepts.errors).toBeNull()
    expect(valid).toBe(true)
  })

  it.each([
    ['a key that there is not', { version: 1, environments: {}, stacks: [], stakcs: [] }],
    ['another version', { version: 2, environments: {}, stacks: [] }],
    ['a driver that is no text', { version: 1, environments: { a: {} }, stacks: [{ path: 'x', driver: 1 }] }],
  ])('refuses %s', (_, config) => {
    expect(accepts(config)).toBe(false)
  })
})
