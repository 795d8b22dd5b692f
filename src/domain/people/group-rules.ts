import { z } from 'zod'
import { isAtLeast, type Role, ROLES } from '../roles.ts'

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dot, dash and underscore')

/** What people of one group of a provider get; `*` is everybody whom the provider knows. */
export const GroupRule = z.strictObject({
  group: z.string().min(1).max(300),
  /** Administrators of the server. */
  admin: z.literal(true).optional(),
  teams: z.array(name).max(50).optional(),
  /** Repository → role. */
  roles: z.record(name, z.enum(ROLES)).optional(),
})
export type GroupRule = z.infer<typeof GroupRule>

/** What somebody has by rules. */
export interface Rights {
  admin: boolean
  teams: string[]
  roles: { [repository: string]: Role }
}

export const NO_RIGHTS: Rights = { admin: false, teams: [], roles: {} }

/** All that the rules give to somebody in these groups, the highest role of each repository; null where none speaks of them. */
export function rightsOf(rules: readonly GroupRule[], groups: readonly string[]): Rights | null {
  const matching = rules.filter(({ group }) => group === '*' || groups.includes(group))
  if (matching.length === 0) return null
  const roles: Rights['roles'] = {}
  for (const [repository, role] of matching.flatMap((rule) => Object.entries(rule.roles ?? {}))) {
    const known = Object.hasOwn(roles, repository) ? roles[repository] : undefined
    if (known === undefined || isAtLeast(role, known)) roles[repository] = role
  }
  return {
    admin: matching.some(({ admin }) => admin === true),
    teams: [...new Set(matching.flatMap(({ teams = [] }) => teams))].sort(),
    roles,
  }
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
/** Names that are Trueup's own. */
const TAKEN = ['trueup', 'system', 'admin']

/** Account names to try for somebody whom a provider calls so, the best first. */
export function accountNames(claims: { username?: string; email?: string; subject: string }): string[] {
  const [wish = 'person'] = [
    claims.username?.split('@')[0],
    claims.email?.split('@')[0],
    `person-${claims.subject.slice(0, 40)}`,
  ]
    .map((text) => (text ?? '').replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, ''))
    .map((text) => text.replaceAll(/\.{2,}/g, '.').slice(0, 55))
    .filter((text) => NAME.test(text) && !TAKEN.includes(text.toLowerCase()) && !/\.(git|lock)$/.test(text))
  return [wish, ...Array.from({ length: 500 }, (_, index) => `${wish}-${index + 2}`)]
}
