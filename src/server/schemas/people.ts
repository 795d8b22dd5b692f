import { z } from 'zod'
import { Password } from '../auth/password-rule.ts'
import { Scopes } from '../auth/token.ts'
import { Name, Role, Time } from './common.ts'

export const User = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    kind: z.enum(['admin', 'member']),
    disabledAt: Time.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'User' })
export type User = z.infer<typeof User>

export const NewUser = z.strictObject({
  name: Name,
  email: z.email().max(254),
  /** Without one the person works with tokens that an administrator makes. */
  password: Password.optional(),
  kind: z.enum(['admin', 'member']).default('member'),
})

export const UserChange = z.strictObject({
  email: z.email().max(254).optional(),
  password: Password.optional(),
  kind: z.enum(['admin', 'member']).optional(),
  disabled: z.boolean().optional(),
})

export const Team = z
  .object({ id: z.string(), name: z.string(), members: z.array(z.string()), createdAt: Time })
  .meta({ id: 'Team' })
export type Team = z.infer<typeof Team>
/** Also as forges call theirs, which CODEOWNERS name: `org/team`, `group/sub/team`. */
export const TeamName = z
  .string()
  .max(255)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,62})*$/,
    'letters, digits, dot, dash and underscore, at most 63, no dot at the start; several of them with slashes in between',
  )
export const NewTeam = z.strictObject({ name: TeamName, members: z.array(Name).max(1000).default([]) })

export const Member = z.object({ user: z.string(), userId: z.string(), role: Role }).meta({ id: 'Member' })
export type Member = z.infer<typeof Member>

export const Token = z
  .object({
    id: z.string(),
    name: z.string(),
    user: z.string(),
    kind: z.enum(['token', 'browser', 'cli']).meta({ description: 'made by somebody, or got by a login' }),
    scopes: z.array(z.string()),
    expiresAt: Time.nullable(),
    lastUsedAt: Time.nullable(),
    revokedAt: Time.nullable(),
    createdAt: Time,
  })
  .meta({ id: 'Token' })
export type Token = z.infer<typeof Token>

export const NewToken = z.strictObject({
  name: z.string().min(1).max(100),
  scopes: Scopes,
  /** Milliseconds that the token lives; absent: until it is revoked. */
  expiresInMs: z.int().min(60_000).optional(),
  /** Administrators may make tokens for others. */
  user: Name.optional(),
})

/** The only answer that ever holds the token itself. */
export const CreatedToken = z.object({ token: z.string(), info: Token }).meta({ id: 'CreatedToken' })
export type CreatedToken = z.infer<typeof CreatedToken>

export const Login = z.strictObject({
  name: z.string().max(100),
  password: z.string().max(256),
  /** Of the second factor, where the account has one: six digits of the app, or a recovery code. */
  code: z.string().max(40).optional(),
  /** Shown in the list of tokens, so that people recognise where they logged in. */
  device: z.string().max(100).default('login'),
})

/** The code out of the fragment of a one-time link. */
export const Redemption = z.strictObject({ code: z.string().max(100) })
export const LinkOrder = z.strictObject({ user: Name.optional() }).nullish()
export const LoginLink = z.object({ url: z.string(), user: z.string(), expiresAt: Time }).meta({ id: 'LoginLink' })

export const PasswordChange = z.strictObject({ current: z.string().max(256).optional(), password: Password })

export const Session = z
  .object({
    user: User,
    token: z.object({ id: z.string(), scopes: z.array(z.string()) }),
    owesSecondFactor: z.boolean().meta({ description: 'nothing else is allowed before one is set up' }),
    may: z.array(z.string()).meta({ description: 'actions beside those of repositories' }),
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof Session>

export const Can = z
  .object({
    action: z.string(),
    repository: z.string().nullable(),
    environment: z.string().nullable(),
    allowed: z.boolean(),
    needs: z.object({
      who: z.string().meta({ description: 'a role in the repository at least, `user` or `server-admin`' }),
      scope: z.string().meta({ description: 'of the token, at least' }),
    }),
    code: z.string().nullable(),
    why: z.string().nullable(),
    next: z.string().nullable(),
  })
  .meta({ id: 'Can' })
export type Can = z.infer<typeof Can>
