import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/sign-in.ts'

export type GroupRule = Schemas['LoginProvider']['rules'][number]
type Role = Schemas['Role']

const ROLES: readonly string[] = ['reader', 'contributor', 'maintainer', 'deployer', 'admin'] satisfies Role[]

/** A rule as it is being typed: teams and roles are lists in a line of text. */
export interface TypedRule {
  group: string
  admin: boolean
  teams: string
  roles: string
}

export const EMPTY_RULE: TypedRule = { group: '', admin: false, teams: '', roles: '' }

export const typed = ({ group, admin, teams = [], roles = {} }: GroupRule): TypedRule => ({
  group,
  admin: admin === true,
  teams: teams.join(', '),
  roles: Object.entries(roles)
    .map(([repository, role]) => `${repository}: ${role}`)
    .join(', '),
})

const parts = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** The rules as the server takes them, or why they cannot be read. */
export function readRules(rules: readonly TypedRule[]): { rules: GroupRule[] } | { wrong: string } {
  const read: GroupRule[] = []
  for (const [at, { group, admin, teams, roles }] of rules.entries()) {
    if (group.trim() === '') return { wrong: t.ruleNeedsAGroup(at + 1) }
    const found: Record<string, Role> = {}
    for (const part of parts(roles)) {
      const [, repository, role] = /^([^\s:=]+)\s*[:=]\s*(\S+)$/.exec(part) ?? []
      if (repository === undefined || !ROLES.includes(role!)) return { wrong: t.ruleHasWrongRoles(at + 1, part) }
      found[repository] = role as Role
    }
    const names = parts(teams)
    read.push({
      group: group.trim(),
      ...(admin && { admin: true as const }),
      ...(names.length > 0 && { teams: names }),
      ...(Object.keys(found).length > 0 && { roles: found }),
    })
  }
  return { rules: read }
}
