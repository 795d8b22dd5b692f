import { z } from 'zod'
import { Time } from './common.ts'

/** What clouds read of the server before they believe a token of a run. https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata */
export const Discovery = z
  .object({
    issuer: z.string(),
    jwks_uri: z.string(),
    response_types_supported: z.array(z.string()),
    subject_types_supported: z.array(z.string()),
    id_token_signing_alg_values_supported: z.array(z.string()),
    claims_supported: z.array(z.string()),
  })
  .meta({ id: 'Discovery' })

export const KeySet = z
  .object({
    keys: z.array(
      z.object({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.string(), n: z.string(), e: z.string() }),
    ),
  })
  .meta({ id: 'KeySet' })

export const Issuer = z
  .object({
    /** `iss` of tokens. */
    issuer: z.string(),
    /** Where discovery and keys are to be had on this server; a copy must be served below `issuer` where that is elsewhere. */
    discoveryUrl: z.string(),
    keysUrl: z.string(),
    keys: z.array(
      z.object({
        id: z.string(),
        createdAt: Time,
        signsFrom: Time,
        /** Null: no newer key has taken its place. */
        shownUntil: Time.nullable(),
        signs: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'Issuer' })
export type Issuer = z.infer<typeof Issuer>
