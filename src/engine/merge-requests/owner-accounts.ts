import type { CodeOwners, Owner, OwnersProblem } from '../../domain/gates/code-owners.ts'
import { VOTER } from '../../domain/roles.ts'
import { hasRole } from '../../domain/gates/votes.ts'
import { listMembers } from '../../store/people/members.ts'
import type { Queries } from '../../store/database/context.ts'
import { findTeamByName, teamMembers } from '../../store/people/teams.ts'
import { findUsersByEmail, findUsersByName } from '../../store/people/users.ts'
import { personIn } from './voters.ts'

/** Told at once; the file has them all. */
const MAX_TOLD = 50

/** Accounts behind an owner that may approve in a repository, or why there are none. */
type Behind = { voters: string[] } | { why: string }

/**
 * What a CODEOWNERS file says that nobody will act on: lines that cannot be read, accounts that do not exist or may not
 * approve here, sections that ask for more approvals than there are people.
 */
export async function ownersProblems(
  db: Queries,
  repositoryId: string,
  parsed: CodeOwners | null,
): Promise<OwnersProblem[]> {
  if (!parsed) return []
  const behind = await accountsBehind(db, repositoryId, parsed)
  const found: OwnersProblem[] = [...parsed.problems]
  const told = new Set<string>()
  for (const { owners, needed, optional, section, line } of parsed.rules) {
    const voters = new Set<string>()
    for (const owner of owners) {
      const accounts = behind.get(keyOf(owner))!
      if ('voters' in accounts) for (const userId of accounts.voters) voters.add(userId)
      else if (!told.has(keyOf(owner))) {
        told.add(keyOf(owner))
        found.push({ line, message: accounts.why })
      }
    }
    if (optional || owners.length === 0 || voters.size >= needed) continue
    const where = section === null ? 'it' : `[${section}]`
    const people = `${voters.size === 0 ? 'none' : `only ${voters.size}`} of its owners`
    found.push({
      line,
      message: `${where} asks for ${needed === 1 ? 'an approval' : `${needed} approvals`}, and ${people} may approve here`,
    })
  }
  return found.sort((a, b) => a.line - b.line).slice(0, MAX_TOLD)
}

const keyOf = ({ kind, name }: Owner): string => `${kind}:${name}`

async function accountsBehind(db: Queries, repositoryId: string, { rules }: CodeOwners): Promise<Map<string, Behind>> {
  const owners = new Map(rules.flatMap((rule) => rule.owners.map((owner) => [keyOf(owner), owner] as const)))
  const named = (kind: Owner['kind']) =>
    [...owners.values()].flatMap((owner) => (owner.kind === kind ? owner.name : []))
  const users = new Map((await findUsersByName(db, named('user'))).map((user) => [user.name, user.id]))
  const addresses = await findUsersByEmail(db, named('email'))
  const barred = new Map<string, string | null>()
  const whyBarred = async (userId: string): Promise<string | null> => {
    if (!barred.has(userId)) barred.set(userId, (await personIn(db, repositoryId, userId, VOTER)).barred)
    return barred.get(userId)!
  }
  const votersOf = async (userIds: readonly string[]): Promise<string[]> => {
    const voters: string[] = []
    for (const userId of userIds) if ((await whyBarred(userId)) === null) voters.push(userId)
    return voters
  }
  const behind = async ({ kind, name }: Owner): Promise<Behind> => {
    if (kind === 'role') {
      const members = (await listMembers(db, repositoryId)).filter(({ role }) => hasRole(role, name))
      const voters = await votersOf(members.map(({ userId }) => userId))
      return voters.length > 0 ? { voters } : { why: `nobody is ${name} here and may approve` }
    }
    const team = kind === 'email' ? undefined : await findTeamByName(db, name)
    if (kind === 'team') {
      if (!team) return { why: `team:${name} is no team of this server` }
      const voters = await votersOf(await teamMembers(db, team.id))
      return voters.length > 0 ? { voters } : { why: `team:${name} has nobody who may approve here` }
    }
    const ids =
      kind === 'user'
        ? [users.get(name)].filter((id) => id !== undefined)
        : addresses.filter(({ email }) => email.toLowerCase() === name.toLowerCase()).map(({ id }) => id)
    const called = kind === 'user' ? `@${name}` : name
    if (ids.length === 0) {
      return {
        why: `${called} is no account of this server${team ? `; there is a team of that name: team:${name}` : ''}`,
      }
    }
    const voters = await votersOf(ids)
    return voters.length > 0 ? { voters } : { why: `${called} ${await whyBarred(ids[0]!)}` }
  }
  const found = new Map<string, Behind>()
  for (const [key, owner] of owners) found.set(key, await behind(owner))
  return found
}
