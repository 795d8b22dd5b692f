import type { JsonObject } from '../../lib/json.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { makeEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** A key that signs tokens of runs; its id is the `kid`. */
export type IssuerKey = FromRow<Database['issuerKeys'], { public: JsonObject }>

const issuerKeys = makeEntity<'issuerKeys', IssuerKey>({
  table: 'issuerKeys',
  prefix: 'key',
  noun: 'issuer key',
  codec: makeCodec({ json: ['public'] }),
})

export const createIssuerKey = (tx: Queries, key: New<IssuerKey>): Promise<IssuerKey> => issuerKeys.insert(tx, key)

/** Those that verifiers may still meet, oldest first. */
export async function shownIssuerKeys(db: Queries): Promise<IssuerKey[]> {
  const now = nowOf(db)
  return (await issuerKeys.all(db, {})).filter(({ shownUntil }) => shownUntil === null || shownUntil > now)
}

/** From now on every other key counts as replaced, and is shown until then. */
export async function replaceIssuerKeys(tx: Queries, newest: string, shownUntil: number): Promise<void> {
  for (const key of await shownIssuerKeys(tx)) {
    if (key.id === newest || (key.shownUntil !== null && key.shownUntil <= shownUntil)) continue
    await issuerKeys.update(tx, key.id, { shownUntil })
  }
}

/** Takes away what nobody is shown any more, private parts first of all. */
export async function dropGoneIssuerKeys(tx: Queries): Promise<void> {
  await tx.deleteFrom('issuerKeys').where('shownUntil', '<=', nowOf(tx)).execute()
}
