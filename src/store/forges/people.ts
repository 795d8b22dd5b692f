import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Queries } from '../database/context.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** Who a person of a forge is here. `made`: the account was made for them, and has what rights the forge gives. */
export type ForgePerson = FromRow<Database['forgePeople'], unknown, 'made'>

const people = makeEntity<'forgePeople', ForgePerson>({
  table: 'forgePeople',
  prefix: 'fp',
  noun: 'person of a forge',
  codec: makeCodec({ flags: ['made'] }),
})

/** CONFLICT where the person is somebody already. */
export const createForgePerson = (tx: Queries, person: New<ForgePerson>): Promise<ForgePerson> =>
  people.insert(tx, person)

/** Ids under which an account is known on one forge. */
export const forgeIdsOf = async (db: Queries, address: string, userId: string): Promise<string[]> =>
  (await people.all(db, { address, userId })).map(({ remoteId }) => remoteId)

export const findForgePerson = (db: Queries, address: string, remoteId: string): Promise<ForgePerson | undefined> =>
  people.find(db, { address, remoteId })
