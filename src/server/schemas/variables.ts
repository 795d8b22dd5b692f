import { z } from 'zod'
import { Time } from './common.ts'

const scope = {
  name: z.string().max(255),
  environment: z.string().max(63).nullable(),
  stack: z.string().max(300).nullable().meta({ description: 'name of the stack in its environment' }),
  phase: z.enum(['both', 'plan', 'apply']),
}

/** What is known about a variable: never its value, which only the workers of its stacks receive. */
export const Variable = z
  .object({
    id: z.string(),
    ...scope,
    secret: z.boolean().meta({ description: 'masked in logs' }),
    version: z.number(),
    updatedBy: z.string(),
    updatedAt: Time,
  })
  .meta({ id: 'Variable' })
export type Variable = z.infer<typeof Variable>

/** Without an environment for all, without a stack for all of the environment. */
export const VariableOrder = z.strictObject({
  ...scope,
  environment: scope.environment.default(null),
  stack: scope.stack.default(null),
  phase: scope.phase.default('both'),
  secret: z.boolean().default(true),
  value: z.string().max(64 * 1024),
})
