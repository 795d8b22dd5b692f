import type { FromRow } from '../database/codec.ts'
import type { Queries } from '../database/context.ts'
import { makePlainEntity } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'
import type { Variable } from './variables.ts'

/** A value that a secret variable had, sealed to the variable's id as it was. */
export type FormerVariable = FromRow<Database['formerVariables']>

const former = makePlainEntity({ table: 'formerVariables', prefix: 'fvar', noun: 'former variable' })

/** So many former values of one scope are kept: deployments that hold an older one are rare. */
export const FORMER_KEPT = 5

/** Keeps the value of a variable that is about to be replaced or deleted; the oldest beyond `FORMER_KEPT` go. */
export async function keepFormer(tx: Queries, variable: Variable): Promise<void> {
  const { id: variableId, repositoryId, environment, stack, name, phase, valueSealed } = variable
  const scope = { repositoryId, environment, stack, name, phase }
  await former.insert(tx, { ...scope, variableId, valueSealed })
  const all = await former.all(tx, scope)
  const beyond = all.slice(0, Math.max(0, all.length - FORMER_KEPT)).map(({ id }) => id)
  if (beyond.length > 0) await tx.deleteFrom('formerVariables').where('id', 'in', beyond).execute()
}

export const listFormer = (db: Queries, repositoryId: string): Promise<FormerVariable[]> =>
  former.all(db, { repositoryId })
