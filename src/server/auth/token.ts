import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { isRangeScope, rangeOf } from './token-ranges.ts'

/**
 * Tokens are 32 random bytes behind a prefix that secret scanners can recognise. The database keeps the SHA-256 only:
 * a slow hash would protect nothing, since there is nothing to guess.
 */
const PREFIXES = { user: 'tut_', session: 'tus_', enrolment: 'tue_' } as const

export function newToken(kind: keyof typeof PREFIXES): { token: string; hash: string } {
  const token = `${PREFIXES[kind]}${randomBytes(32).toString('base64url')}`
  return { token, hash: hashToken(token) }
}

export const isSessionToken = (token: string): boolean => token.startsWith(PREFIXES.session)

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Compares two hashes in constant time. */
export function sameHash(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

const repositoryScope = /^repo:[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** One scope of a token: what it is good for, or a repository or addresses to which it is narrowed. */
export const Scope = z
  .string()
  .max(150)
  .refine(
    (scope) => ['read', 'write', 'admin'].includes(scope) || repositoryScope.test(scope) || rangeOf(scope) !== null,
    { message: 'read, write, admin, repo:NAME or from:ADDRESS/BITS' },
  )
  .meta({
    description:
      '`read`, `write`, `admin`; `repo:NAME` narrows the token to a repository, `from:10.0.0.0/8` to requests from there',
  })

export const Scopes = z
  .array(Scope)
  .min(1)
  .max(50)
  .refine((scopes) => scopes.some((scope) => !scope.startsWith('repo:') && !isRangeScope(scope)), {
    message: 'needs one of read, write or admin beside what narrows it',
  })

/** The column `tokens.scopes`: separated by spaces. */
export const packScopes = (scopes: readonly string[]): string => [...new Set(scopes)].sort().join(' ')
export const unpackScopes = (packed: string): string[] => packed.split(' ').filter((scope) => scope !== '')
