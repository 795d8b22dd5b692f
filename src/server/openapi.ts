import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { VERSION } from '../lib/version.ts'
import type { App } from './auth/http-types.ts'

type Json = { [key: string]: unknown }

/** What every route may answer instead of a success. */
const REFUSAL = {
  description: 'Not done: what was being done, why it could not be, and the next action.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorBody' } } },
}

/** Collects the routes' schemas into an OpenAPI 3.1 document, served at /api/v1/openapi.json and kept in docs/api. */
export async function describeRoutes(app: App): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Trueup',
        version: VERSION,
        description:
          'Self-hosted GitOps. Errors have one shape (`ErrorBody`), lists are pages (`limit`, `cursor` → `items`, `next`), writes take an `Idempotency-Key`.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => finish(jsonSchemaTransformObject(document) as Json) as never,
  })
}

/** Adds the refusal to every operation, and drops schemas that nothing refers to (each is offered twice, for in and out). */
function finish(document: Json): Json {
  for (const operations of Object.values(document.paths as Json))
    for (const operation of Object.values(operations as Json)) {
      const { responses } = operation as { responses?: Json }
      if (responses) responses.default = REFUSAL
    }
  const components = document.components as { schemas: Json }
  for (let dropped = true; dropped; ) {
    const text = JSON.stringify(document)
    const unused = Object.keys(components.schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`))
    for (const name of unused) delete components.schemas[name]
    dropped = unused.length > 0
  }
  return document
}
