import { z } from 'zod'
import { GroupRule } from '../../domain/people/group-rules.ts'
import { Name, Time } from './common.ts'
import { CreatedToken } from './people.ts'

export const LoginProviderChange = z.strictObject({
  /** Exactly as the provider calls itself. */
  issuer: z.url({ protocol: /^https?$/ }).max(500),
  clientId: z.string().min(1).max(300),
  /** Absent: stays as it is; null: a public client. */
  clientSecret: z.string().min(1).max(1000).nullable().optional(),
  scopes: z
    .string()
    .max(500)
    .regex(/\bopenid\b/, 'needs the scope openid')
    .default('openid profile email'),
  groupsClaim: z.string().min(1).max(200).default('groups'),
  rules: z.array(GroupRule).min(1).max(500),
})

export const LoginProvider = z
  .object({
    name: Name,
    issuer: z.string(),
    clientId: z.string(),
    hasSecret: z.boolean(),
    scopes: z.string(),
    groupsClaim: z.string(),
    rules: z.array(GroupRule),
    /** To be registered at the provider as the address it sends people back to. */
    callbackUrl: z.string(),
    createdAt: Time,
  })
  .meta({ id: 'LoginProvider' })
export type LoginProvider = z.infer<typeof LoginProvider>

/** What everybody may know: where one can log in. */
export const LoginWays = z.object({ providers: z.array(z.object({ name: Name })) }).meta({ id: 'LoginWays' })

export const DeviceLogin = z
  .object({
    /** Secret of whoever began it. */
    id: z.string(),
    url: z.string(),
    code: z.string(),
    expiresInMs: z.number(),
  })
  .meta({ id: 'DeviceLogin' })

export const DeviceAnswer = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting') }),
  z.object({ state: z.literal('done'), ...CreatedToken.shape }),
])
