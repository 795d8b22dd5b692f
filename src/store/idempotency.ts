import { canonicalJson, type Json } from '../lib/json.ts'
import { nowOf, type Queries } from './database/context.ts'
import { type FromRow, makeCodec } from './database/codec.ts'
import type { Database } from './database/schema.ts'

/** What a request with an Idempotency-Key was answered. */
export type IdempotentAnswer = FromRow<Database['idempotencyKeys'], { response: Json }>

const codec = makeCodec<Database['idempotencyKeys'], IdempotentAnswer>({ json: ['response'] })

export async function findIdempotentAnswer(
  db: Queries,
  userId: string,
  key: string,
): Promise<IdempotentAnswer | undefined> {
  const row = await db
    .selectFrom('idempotencyKeys')
    .selectAll()
    .where('userId', '=', userId)
    .where('key', '=', key)
    .executeTakeFirst()
  return row && codec.fromRow(row)
}

/** Keeps an answer. The first one stays: false when there was one. */
export async function saveIdempotentAnswer(tx: Queries, answer: Omit<IdempotentAnswer, 'createdAt'>): Promise<boolean> {
  const { response, ...columns } = answer
  const result = await tx
    .insertInto('idempotencyKeys')
    .values({ ...columns, responseJson: canonicalJson(response), createdAt: nowOf(tx) })
    .onConflict((conflict) => conflict.columns(['userId', 'key']).doNothing())
    .executeTakeFirst()
  return (result.numInsertedOrUpdatedRows ?? 0n) > 0n
}

/** Forgets answers older than a time; returns how many. */
export async function deleteIdempotentAnswers(tx: Queries, before: number): Promise<number> {
  const result = await tx.deleteFrom('idempotencyKeys').where('createdAt', '<', before).executeTakeFirst()
  return Number(result.numDeletedRows)
}
