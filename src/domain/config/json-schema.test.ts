import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { trueupJsonSchema } from './json-schema.ts'

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
