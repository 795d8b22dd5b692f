import { z } from 'zod'
import { Name, Role, Time } from './common.ts'

export const Repository = z
  .object({
    id: z.string(),
    name: z.string(),
    forge: z.enum(['builtin']),
    defaultBranch: z.string(),
    /** Address for `git clone` and `git push`; user and token go into HTTP Basic. */
    gitUrl: z.string(),
    /** Role of the person who asks; null for administrators of the server without one. */
    role: Role.nullable(),
    /** Why it is not served: its Git directory is damaged; null where all is well. */
    damage: z.string().nullable(),
    may: z.array(z.string()).meta({ description: 'actions that this token may do here' }),
    createdAt: Time,
  })
  .meta({ id: 'Repository' })
export type Repository = z.infer<typeof Repository>

/** Follows git-check-ref-format(1) for one-level and nested branch names, narrowed to what is easy to type. */
export const BranchName = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]*$/, 'letters, digits, dot, dash, underscore and slash')
  .refine((name) => !/\.\.|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(name), { message: 'not a branch name that git accepts' })

export const NewRepository = z.strictObject({ name: Name, defaultBranch: BranchName.default('main') })
