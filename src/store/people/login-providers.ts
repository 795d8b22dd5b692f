import type { GroupRule, Rights } from '../../domain/people/group-rules.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import type { Queries } from '../database/context.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** An OpenID Connect provider at which people log in. */
export type LoginProvider = FromRow<Database['loginProviders'], { rules: GroupRule[] }>
/** Somebody whom a provider knows, and who that is here. */
export type LoginSubject = FromRow<Database['loginSubjects'], { given: Rights }>

const providers = makeEntity<'loginProviders', LoginProvider>({
  table: 'loginProviders',
  prefix: 'idp',
  noun: 'login provider',
  codec: makeCodec({ json: ['rules'] }),
  change: ({ id }) => ({ topic: 'settings', id }),
})
const subjects = makeEntity<'loginSubjects', LoginSubject>({
  table: 'loginSubjects',
  prefix: 'sub',
  noun: 'person of a login provider',
  codec: makeCodec({ json: ['given'] }),
})

/** CONFLICT where the name is taken. */
export const createLoginProvider = (tx: Queries, provider: New<LoginProvider>): Promise<LoginProvider> =>
  providers.insert(tx, provider)
export const findLoginProvider = (db: Queries, name: string): Promise<LoginProvider | undefined> =>
  providers.find(db, { name })
export const listLoginProviders = (db: Queries): Promise<LoginProvider[]> => providers.all(db, {})
export const patchLoginProvider = (tx: Queries, id: string, patch: Partial<LoginProvider>): Promise<LoginProvider> =>
  providers.update(tx, id, patch)

/** The provider and who its people are; their accounts stay. Answers with the ids of these accounts. */
export async function deleteLoginProvider(tx: Queries, id: string): Promise<string[]> {
  const known = await subjects.all(tx, { providerId: id })
  await tx.deleteFrom('loginSubjects').where('providerId', '=', id).execute()
  await tx.deleteFrom('loginProviders').where('id', '=', id).execute()
  return known.map(({ userId }) => userId)
}

export const createLoginSubject = (tx: Queries, subject: New<LoginSubject>): Promise<LoginSubject> =>
  subjects.insert(tx, subject)
export const findLoginSubject = (db: Queries, providerId: string, subject: string): Promise<LoginSubject | undefined> =>
  subjects.find(db, { providerId, subject })
export const patchLoginSubject = (tx: Queries, id: string, patch: Partial<LoginSubject>): Promise<LoginSubject> =>
  subjects.update(tx, id, patch)
