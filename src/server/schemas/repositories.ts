import { z } from 'zod'
import { Name, Role, Time } from './common.ts'
import { ErrorBody } from './plans.ts'

/** Where the merge requests of a repository live, if that is not here, and how the last look there went. */
const Connection = z
  .object({
    /** Page of the repository on its forge. */
    url: z.string(),
    /** Account there whose token Trueup has. */
    account: z.string(),
    lookedAt: Time.nullable(),
    /** Milliseconds between two looks that no webhook asks for. */
    lookEveryMs: z.number().int(),
    /** Why the last look did not go well. */
    problem: ErrorBody.nullable(),
    webhook: z.boolean(),
    /** Why there is no webhook; looks find all that it would have told. */
    webhookProblem: z.string().nullable(),
    /** What the forge lets be asked; null where it does not say. */
    requests: z.object({ left: z.number(), limit: z.number(), resetAt: Time.nullable() }).nullable(),
  })
  .meta({ id: 'Connection' })

export const Repository = z
  .object({
    id: z.string(),
    name: z.string(),
    forge: z.enum(['builtin', 'gitea', 'gitlab', 'github']),
    defaultBranch: z.string(),
    /** Address for `git clone` and `git push`; user and token go into HTTP Basic. */
    gitUrl: z.string(),
    /** Role of the person who asks; null for administrators of the server without one. */
    role: Role.nullable(),
    /** Why it is not served: its Git directory is damaged; null where all is well. */
    damage: z.string().nullable(),
    /** Null where merge requests live here. */
    connection: Connection.nullable(),
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

/** Of a GitHub App: its number, a line end and its private key. */
const Token = z
  .string()
  .min(1)
  .max(16_384)
  .regex(
    /^(?:[\x21-\x7e]+|\d{1,20}\n-----BEGIN [\x20-\x7e\r\n]+)$/,
    'printable characters without spaces, or number and private key of a GitHub App',
  )

/** A repository of a forge that is to be connected. */
export const NewConnection = z.strictObject({
  /** Found out by asking where absent. */
  forge: z.enum(['gitea', 'gitlab', 'github']).optional(),
  /** Address of its page or clone. */
  url: z.string().max(2000),
  token: Token,
  /** What it is called here; the last part of its address where absent. */
  name: Name.optional(),
})

export const NewConnectionToken = z.strictObject({ token: Token })

/** `webhookLeft`: why the webhook still stands on the forge; null where it is gone. */
export const Disconnected = z.object({ repository: Repository, webhookLeft: z.string().nullable() })
