import { z } from 'zod'
import { Time } from './common.ts'

const rules = ['off', 'administrators', 'everyone'] as const

export const SecondFactorState = z
  .object({
    user: z.string(),
    enrolledAt: Time.nullable().meta({ description: 'null: there is none' }),
    provenAt: Time.nullable().meta({ description: 'when this login last proved it' }),
    recoveryCodesLeft: z.number(),
    owed: z.boolean().meta({ description: 'the rule of the server asks for one, and there is none' }),
    rule: z.enum(rules).meta({ description: 'which accounts with a password need one' }),
  })
  .meta({ id: 'SecondFactor' })
export type SecondFactorState = z.infer<typeof SecondFactorState>

/** The only answer that ever holds the secret. */
export const SecondFactorBegun = z.object({
  secret: z.string().meta({ description: 'base32, to be typed into an app' }),
  uri: z.string().meta({ description: 'otpauth://…, for apps that take addresses' }),
})
export const SecondFactorCode = z.strictObject({
  code: z.string().min(6).max(40).meta({ description: 'six digits of the app, or a recovery code' }),
})
/** The only answer that ever holds the codes. */
export const RecoveryCodes = z.object({ recoveryCodes: z.array(z.string()) })
export const SecondFactorRuleBody = z.strictObject({ rule: z.enum(rules) })
