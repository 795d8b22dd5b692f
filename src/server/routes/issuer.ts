import { z } from 'zod'
import { issuerKeySet, listIssuerKeys, rotateIssuerKeys } from '../../engine/identity/issuer.ts'
import type { RouteModule } from '../parts.ts'
import { Discovery, Issuer, KeySet } from '../schemas/issuer.ts'
import { by } from './users.ts'

const DISCOVERY = '/.well-known/openid-configuration'
const KEYS = '/.well-known/jwks.json'
/** Verifiers that keep answers look again after this; a new key is shown much longer before it signs. Seconds. */
const FRESH = 300

const CLAIMS = [
  'iss', 'aud', 'exp', 'iat', 'jti', 'sub', 'groups', 'repository', 'repository_id', 'environment', 'stack', 'stack_id', 'driver',
  'phase', 'run_id', 'run_kind', 'commit', 'ref', 'mr', 'actor', 'worker', 'worker_pool',
] // biome-ignore format: a list of names

/** The server as an OpenID Connect issuer: clouds and clusters ask here by which keys it vouches for runs. */
export const issuerRoutes: RouteModule<'engine' | 'publicUrl'> = (app, { engine, publicUrl }) => {
  const { parts } = engine
  const open = { tags: ['identity'], security: [] }

  app.get(
    DISCOVERY,
    {
      config: { action: 'public' },
      schema: { ...open, summary: 'The server as an issuer of tokens', response: { 200: Discovery } },
    },
    async (_request, reply): Promise<z.infer<typeof Discovery>> => {
      const issuer = parts.settings.issuerUrl()
      reply.header('cache-control', `public, max-age=${FRESH}`)
      return {
        issuer,
        jwks_uri: `${issuer}${KEYS}`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
        claims_supported: CLAIMS,
      }
    },
  )
  app.get(
    KEYS,
    {
      config: { action: 'public' },
      schema: { ...open, summary: 'Keys by which tokens of runs are verified', response: { 200: KeySet } },
    },
    async (_request, reply): Promise<z.infer<typeof KeySet>> => {
      reply.header('cache-control', `public, max-age=${FRESH}`)
      return (await issuerKeySet(parts)) as z.infer<typeof KeySet>
    },
  )

  const shown = async (): Promise<z.infer<typeof Issuer>> => ({
    issuer: parts.settings.issuerUrl(),
    discoveryUrl: `${publicUrl()}${DISCOVERY}`,
    keysUrl: `${publicUrl()}${KEYS}`,
    keys: await listIssuerKeys(parts),
  })
  app.get(
    '/api/v1/issuer',
    {
      config: { action: 'server.read' },
      schema: { tags: ['identity'], summary: 'Issuer of tokens of runs, and its keys', response: { 200: Issuer } },
    },
    shown,
  )
  app.post(
    '/api/v1/issuer/rotate',
    {
      config: { action: 'issuer.rotate' },
      schema: {
        tags: ['identity'],
        summary: 'Replace the key that signs tokens of runs',
        body: z.strictObject({
          now: z
            .boolean()
            .default(false)
            .meta({ description: 'the old keys are not shown any more, so that tokens they signed end' }),
        }),
        response: { 200: Issuer },
      },
    },
    async (request) => {
      await rotateIssuerKeys(parts, { now: request.body.now, actor: by(request).actor })
      return await shown()
    },
  )
}
