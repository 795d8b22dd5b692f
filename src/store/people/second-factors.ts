import { nowOf, type Queries } from '../database/context.ts'
import { makePlainEntity, type New } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** What an account proves itself by beside its password: a secret that an app makes codes of every thirty seconds. */
export type SecondFactor = Database['secondFactors']

const factors = makePlainEntity({
  table: 'secondFactors',
  prefix: '2fa',
  noun: 'second factor',
  change: ({ userId }) => ({ topic: 'settings', id: userId }),
})
const codes = makePlainEntity({ table: 'recoveryCodes', prefix: 'rec', noun: 'recovery code' })

export const findSecondFactor = (db: Queries, userId: string): Promise<SecondFactor | undefined> =>
  factors.find(db, { userId })
/** CONFLICT where the account has one. */
export const createSecondFactor = (tx: Queries, factor: New<SecondFactor>): Promise<SecondFactor> =>
  factors.insert(tx, factor)
export const patchSecondFactor = (tx: Queries, id: string, patch: Partial<SecondFactor>): Promise<SecondFactor> =>
  factors.update(tx, id, patch)

/** The factor and its recovery codes. */
export async function deleteSecondFactor(tx: Queries, userId: string): Promise<void> {
  await tx.deleteFrom('recoveryCodes').where('userId', '=', userId).execute()
  await tx.deleteFrom('secondFactors').where('userId', '=', userId).execute()
}

/** Puts new recovery codes, by their hashes, in the place of those that there were. */
export async function replaceRecoveryCodes(tx: Queries, userId: string, hashes: readonly string[]): Promise<void> {
  await tx.deleteFrom('recoveryCodes').where('userId', '=', userId).execute()
  for (const hash of hashes) await codes.insert(tx, { userId, hash })
}

/** Uses a code up; false where there is none of that hash, or it was used before. */
export async function useRecoveryCode(tx: Queries, userId: string, hash: string): Promise<boolean> {
  const code = await codes.find(tx, { userId, hash })
  if (!code || code.usedAt !== null) return false
  await codes.update(tx, code.id, { usedAt: nowOf(tx) })
  return true
}

export async function recoveryCodesLeft(db: Queries, userId: string): Promise<number> {
  return (await codes.all(db, { userId })).filter(({ usedAt }) => usedAt === null).length
}
