import type { Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Page, PageRequest } from '../database/page.ts'
import type { Database } from '../database/schema.ts'

export type User = FromRow<Database['users']>

const users = makeEntity<'users', User>({
  table: 'users',
  prefix: 'user',
  noun: 'user',
  codec: makeCodec({}),
  times: ['createdAt'],
  change: (user) => ({ topic: 'settings', id: user.id }),
})

/** CONFLICT when the name is taken. */
export const createUser = (tx: Queries, user: New<User>): Promise<User> => users.insert(tx, user)
export const getUser = (db: Queries, id: string): Promise<User | undefined> => users.get(db, id)
export const findUserByName = (db: Queries, name: string): Promise<User | undefined> => users.find(db, { name })
/** The oldest account with this address, as commits carry it. */
export const findUserByEmail = (db: Queries, email: string): Promise<User | undefined> => users.find(db, { email })
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
