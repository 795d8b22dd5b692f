import { z } from 'zod'
import { Time } from './common.ts'

/** A login that counts: of a browser, or of the command line. */
export const LoginSession = z
  .object({
    id: z.string(),
    user: z.string(),
    kind: z.enum(['browser', 'cli']),
    device: z.string().meta({ description: 'browser and system, or what the command line calls itself' }),
    address: z.string().nullable().meta({ description: 'where the login came from; null where that is not known' }),
    createdAt: Time,
    lastUsedAt: Time.nullable().meta({ description: 'to the minute' }),
    expiresAt: Time.nullable(),
    current: z.boolean().meta({ description: 'the one that asks' }),
  })
  .meta({ id: 'LoginSession' })
export type LoginSession = z.infer<typeof LoginSession>

export const RevokedSessions = z.object({ revoked: z.array(z.string()).meta({ description: 'their ids' }) })
