import type { Queries } from '../database/context.ts'
import type { FromRow } from '../database/codec.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Page, PageRequest } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

export type User = FromRow<Database['users']>

const users = makePlainEntity({
  table: 'users',
  prefix: 'user',
  change: (user) => ({ topic: 'settings', id: user.id }),
})

/** CONFLICT when the name is taken. */
export const createUser = (tx: Queries, user: New<User>): Promise<User> => users.insert(tx, user)
export const getUser = (db: Queries, id: string): Promise<User | undefined> => users.get(db, id)
export const findUserByName = (db: Queries, name: string): Promise<User | undefined> => users.find(db, { name })
/** NOT_FOUND; CONFLICT when the new name is taken. */
export const patchUser = (tx: Queries, id: string, patch: Partial<Omit<User, 'id'>>): Promise<User> =>
  users.update(tx, id, patch)
/** Oldest first. */
export const listUsers = (db: Queries, page: PageRequest = {}): Promise<Page<User>> => users.list(db, {}, page, 'asc')

/** How many there are: none means that this is the first start. */
export async function countUsers(db: Queries): Promise<number> {
  const row = await db
    .selectFrom('users')
    .select((user) => user.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/** Whether nobody could manage the server without them. */
export async function isLastAdmin(db: Queries, user: Pick<User, 'id' | 'kind' | 'disabledAt'>): Promise<boolean> {
  if (user.kind !== 'admin' || user.disabledAt !== null) return false
  const another = await db
    .selectFrom('users')
    .select('id')
    .where('kind', '=', 'admin')
    .where('disabledAt', 'is', null)
    .where('id', '!=', user.id)
    .limit(1)
    .executeTakeFirst()
  return another === undefined
}

/** Few enough for the parameters of one statement. */
const AT_ONCE = 500

/** All accounts with one of these addresses, as commits carry them: upper and lower case are the same (RFC 5321 aside). */
export async function findUsersByEmail(db: Queries, emails: Iterable<string>): Promise<User[]> {
  const wanted = [...new Set([...emails].map((email) => email.toLowerCase()).filter((email) => email !== ''))]
  return await inParts(wanted, (part) =>
    db
      .selectFrom('users')
      .selectAll()
      .where((user) => user.fn<string>('lower', ['email']), 'in', part)
      .orderBy('id')
      .execute(),
  )
}

/** The accounts of these names, as far as there are any. */
export const findUsersByName = (db: Queries, names: Iterable<string>): Promise<User[]> =>
  inParts([...new Set(names)], (part) =>
    db.selectFrom('users').selectAll().where('name', 'in', part).orderBy('id').execute(),
  )

async function inParts(wanted: readonly string[], query: (part: string[]) => Promise<User[]>): Promise<User[]> {
  const found: User[] = []
  for (let from = 0; from < wanted.length; from += AT_ONCE)
    found.push(...(await query(wanted.slice(from, from + AT_ONCE))))
  return found
}
