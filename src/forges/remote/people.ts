import { isAtLeast, type Role } from '../../domain/roles.ts'
import { appendAudit } from '../../store/audit/audit.ts'
import { createForgePerson, findForgePerson } from '../../store/forges/people.ts'
import type { Queries } from '../../store/database/context.ts'
import { removeMember, roleIn, setMember } from '../../store/people/members.ts'
import { createUser, findUserByName, type User } from '../../store/people/users.ts'
import type { RemotePerson } from './api.ts'
import type { Connected } from './connected.ts'

/** Names that are Trueup's own. */
const TAKEN = ['trueup', 'system', 'admin']
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/**
 * The account of somebody on a forge, by the id that the forge gives once. Who is met for the first time gets one that
 * nobody can log in to. It has no address: whoever can choose theirs on the forge must not become somebody else by it.
 */
export async function accountOf({ store, connection, repository }: Connected, person: RemotePerson): Promise<string> {
  const { address } = connection
  const known = await findForgePerson(store.db, address, person.id)
  if (known) return known.userId
  return await store.transaction(async (tx) => {
    const meanwhile = await findForgePerson(tx, address, person.id)
    if (meanwhile) return meanwhile.userId
    const { id: userId, name } = await makeAccount(tx, address, person)
    await createForgePerson(tx, { address, remoteId: person.id, userId, made: true })
    await appendAudit(tx, {
      actor: 'system',
      action: 'user.from_forge',
      subject: userId,
      repositoryId: repository.id,
      data: { name, forge: address, forgeId: person.id, forgeName: person.name },
    })
    return userId
  })
}

/**
 * The same of somebody who says something there, which anybody may on a public repository: null for a stranger, who has no part in
 * it. Errors: FORGE_*.
 */
export async function accountOfMember(here: Connected, person: RemotePerson): Promise<string | null> {
  const known = await findForgePerson(here.store.db, here.connection.address, person.id)
  if (known) return known.userId
  return (await here.api.roleOf(person)) === null ? null : await accountOf(here, person)
}

async function makeAccount(tx: Queries, address: string, { id, name }: RemotePerson): Promise<User> {
  const host = new URL(address).hostname
  const wishes = [...(TAKEN.includes(name.toLowerCase()) ? [] : [name]), `${name}.${host}`, `forge-${id}.${host}`]
  for (const wish of wishes.filter((each) => NAME.test(each) && !each.includes('..'))) {
    if (await findUserByName(tx, wish)) continue
    return await createUser(tx, { name: wish, email: '', kind: 'member' })
  }
  return await createUser(tx, {
    name: `forge-${id}-${Date.now()}`.replaceAll(/[^\w.-]/g, '-'),
    email: '',
    kind: 'member',
  })
}

/** What the right to write on a forge is here. */
const WRITES: Role = 'maintainer'

/** Gives an account that was made for somebody the role that the forge gives them now. Others keep what they have here. */
export async function takeRole({ store, connection, repository, api }: Connected, person: RemotePerson): Promise<void> {
  const known = await findForgePerson(store.db, connection.address, person.id)
  if (!known?.made) return
  const role = await api.roleOf(person)
  const now = await roleIn(store.db, repository.id, known.userId)
  // What was given here beyond it stays, as long as the forge gives what all of it stands on.
  if (now === role || (now && role === WRITES && isAtLeast(now, role))) return
  await store.transaction(async (tx) => {
    if (role === null) await removeMember(tx, repository.id, known.userId)
    else await setMember(tx, { repositoryId: repository.id, userId: known.userId, role })
    await appendAudit(tx, {
      actor: 'system',
      action: 'member.from_forge',
      subject: known.userId,
      repositoryId: repository.id,
      data: { role },
    })
  })
}
