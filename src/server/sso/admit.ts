import { accountNames, NO_RIGHTS, type Rights, rightsOf } from '../../domain/people/group-rules.ts'
import { isAtLeast } from '../../domain/roles.ts'
import { votesChanged } from '../../engine/merge-requests/people-changed.ts'
import { TrueupError } from '../../lib/errors/error.ts'
import type { JsonObject } from '../../lib/json.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { findRepositoryByName } from '../../store/changes/repositories.ts'
import { nowOf, type Tx } from '../../store/database/context.ts'
import type { Store } from '../../store/open.ts'
import {
  createLoginSubject,
  findLoginSubject,
  type LoginProvider,
  type LoginSubject,
  patchLoginSubject,
} from '../../store/people/login-providers.ts'
import { removeMember, roleIn, setMember } from '../../store/people/members.ts'
import { addTeamMember, createTeam, findTeamByName, removeTeamMember } from '../../store/people/teams.ts'
import { createUser, findUserByName, getUser, isLastAdmin, patchUser, type User } from '../../store/people/users.ts'
import { revokeAllTokens } from '../auth/revoke.ts'

/** What a provider has said of the person who has just logged in there, verified. */
export interface KnownPerson {
  subject: string
  username?: string
  email?: string
  groups: string[]
}

/**
 * The account of somebody who has logged in at a provider: found by provider and subject alone, made at the first login,
 * brought to what the rules say of their groups now.
 * @throws FORBIDDEN where no rule speaks of them; an account that they had is disabled then, and its logins are over
 */
export async function admit(store: Store, provider: LoginProvider, person: KnownPerson): Promise<User> {
  const rights = rightsOf(provider.rules, person.groups)
  const admitted = await store.transaction(async (tx) => {
    const known = await findLoginSubject(tx, provider.id, person.subject)
    if (rights === null) {
      if (known) await end(tx, provider, known)
      return null
    }
    const subject = known ?? (await welcome(tx, provider, person))
    const user = (await getUser(tx, subject.userId))!
    if (user.disabledAt !== null) {
      if (subject.endedAt === null) return null
      await patchUser(tx, user.id, { disabledAt: null })
    }
    const given = await bring(tx, user, subject.given, rights)
    await patchLoginSubject(tx, subject.id, { given, endedAt: null })
    return (await getUser(tx, user.id))!
  })
  if (admitted) return admitted
  throw new TrueupError('FORBIDDEN', {
    doing: `logging in by ${provider.name}`,
    why:
      rights === null
        ? 'no rule of this server speaks of any group that the provider puts you in'
        : 'an administrator has disabled your account',
    next: 'Ask an administrator of the server.',
  })
}

/** Makes an account. Never one that is there already: whoever can choose their name at a provider must not become somebody else. */
async function welcome(tx: Tx, provider: LoginProvider, person: KnownPerson): Promise<LoginSubject> {
  for (const name of accountNames(person)) {
    if (await findUserByName(tx, name)) continue
    const { id: userId } = await createUser(tx, { name, email: '', kind: 'member' })
    const data = { name, provider: provider.name, subject: person.subject }
    await appendAudit(tx, { actor: 'system', action: 'user.from_provider', subject: userId, data })
    return await createLoginSubject(tx, { providerId: provider.id, subject: person.subject, userId, given: NO_RIGHTS })
  }
  throw new TrueupError('CONFLICT', { doing: 'making an account', why: 'every name for it is taken' })
}

async function end(tx: Tx, provider: LoginProvider, subject: LoginSubject): Promise<void> {
  const user = (await getUser(tx, subject.userId))!
  await bring(tx, user, subject.given, NO_RIGHTS)
  await patchLoginSubject(tx, subject.id, { given: NO_RIGHTS, ...(user.disabledAt === null && { endedAt: nowOf(tx) }) })
  if (user.disabledAt !== null || (await isLastAdmin(tx, user))) return
  await patchUser(tx, user.id, { disabledAt: nowOf(tx) })
  await revokeAllTokens(tx, user.id, null)
  await votesChanged(tx, { userId: user.id })
  const data = { provider: provider.name }
  await appendAudit(tx, { actor: 'system', action: 'user.deprovision', subject: user.id, data })
}

/** Gives what is new and takes what was given by rules and is not any more; what people gave by hand stays. */
async function bring(tx: Tx, user: User, before: Rights, now: Rights): Promise<Rights> {
  const changed: JsonObject = {}
  const given: Rights = { admin: false, teams: [], roles: {} }
  if (now.admin && (before.admin || user.kind !== 'admin')) given.admin = true
  if (now.admin && user.kind !== 'admin') changed['kind'] = 'admin'
  if (before.admin && !now.admin && user.kind === 'admin' && !(await isLastAdmin(tx, user))) changed['kind'] = 'member'
  if (changed['kind']) await patchUser(tx, user.id, { kind: changed['kind'] as User['kind'] })

  for (const name of now.teams) {
    const team = (await findTeamByName(tx, name)) ?? (await createTeam(tx, { name }))
    await addTeamMember(tx, team.id, user.id)
    given.teams.push(name)
  }
  for (const name of before.teams.filter((each) => !now.teams.includes(each))) {
    const team = await findTeamByName(tx, name)
    if (team) await removeTeamMember(tx, team.id, user.id)
  }
  if (before.teams.join(' ') !== given.teams.join(' ')) changed['teams'] = given.teams

  for (const name of new Set([...Object.keys(before.roles), ...Object.keys(now.roles)])) {
    const repository = await findRepositoryByName(tx, name)
    if (!repository) continue
    const [wanted, was] = [now.roles[name], before.roles[name]]
    const has = await roleIn(tx, repository.id, user.id)
    const isOurs = was !== undefined && has === was
    if (wanted === undefined) {
      if (isOurs) await removeMember(tx, repository.id, user.id)
    } else if (isOurs || has === null || !isAtLeast(has, wanted)) {
      await setMember(tx, { repositoryId: repository.id, userId: user.id, role: wanted })
      given.roles[name] = wanted
    }
  }
  if (JSON.stringify(before.roles) !== JSON.stringify(given.roles)) changed['roles'] = given.roles
  if (Object.keys(changed).length > 0) {
    await votesChanged(tx, { userId: user.id })
    await appendAudit(tx, { actor: 'system', action: 'user.rights_from_provider', subject: user.id, data: changed })
  }
  return given
}
