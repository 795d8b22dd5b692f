import { z } from 'zod'
import { TrueupConfig } from './schema.ts'

/**
 * The JSON Schema (draft 2020-12) of `trueup.yaml`, for editors. It says less than `parseConfig`: names that must exist,
 * windows and time zones are checked there only.
 */
export function trueupJsonSchema(): { [key: string]: unknown } {
  const { $schema, ...schema } = z.toJSONSchema(TrueupConfig, { io: 'input', target: 'draft-2020-12' })
  return {
    $schema,
    $id: 'urn:trueup:schema:trueup.yaml:1',
    title: 'trueup.yaml',
    description: 'What a repository holds for Trueup: environments with their rules, stacks, policies.',
    ...schema,
  }
}
