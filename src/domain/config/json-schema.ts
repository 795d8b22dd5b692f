import { z } from 'zod'
import { TrueupConfig } from './schema.ts'

/**
 * The JSON Schema (draft 2020-12) of `trueup.yaml`, for editors. It says less than `parseConfig`: names that must exist,
 * windows and time zones are checked there only.
 */
export const trueupJsonSchema = (): JsonSchema => schemaOf('draft-2020-12', 'urn:trueup:schema:trueup.yaml:1')

/** The same as SchemaStore takes it, for editors that look there: draft 7, under the address that it has in that catalogue. */
export const schemaStoreSchema = (): JsonSchema => schemaOf('draft-7', 'https://json.schemastore.org/trueup.json')

type JsonSchema = { [key: string]: unknown }

function schemaOf(target: 'draft-2020-12' | 'draft-7', id: string): JsonSchema {
  const { $schema, ...schema } = z.toJSONSchema(TrueupConfig, { io: 'input', target })
  return {
    $schema,
    $id: id,
    title: 'trueup.yaml',
    description: 'What a repository holds for Trueup: environments with their rules, stacks, policies.',
    ...schema,
  }
}
