import { newId } from '../../lib/ids.ts'
import { nowOf, type Queries } from '../database/context.ts'
import { type FromRow, makeCodec } from '../database/codec.ts'
import { makeEntity } from '../database/entity.ts'
import type { Database } from '../database/schema.ts'

/** A variable with its sealed value, which the API never gives out. */
export type Variable = FromRow<Database['variables'], unknown, 'secret'>

const variables = makeEntity<'variables', Variable>({
  table: 'variables',
  prefix: 'var',
  noun: 'variable',
  codec: makeCodec({ flags: ['secret'] }),
  times: ['updatedAt'],
  change: ({ repositoryId }) => ({ topic: 'settings', id: repositoryId, repositoryId }),
})

/** What makes two variables the same one: setting it again is a new version. */
export type VariableScope = Pick<Variable, 'repositoryId' | 'environment' | 'stack' | 'name' | 'phase'>

/**
 * Sets a variable. `seal` is called with the variable's id, because the sealed value is bound to it. The version grows
 * with every set, also of an equal value.
 */
export async function setVariable(
  tx: Queries,
  scope: VariableScope,
  value: { secret: boolean; updatedById: string; seal(id: string): string },
): Promise<Variable> {
  const { repositoryId, environment, stack, name, phase } = scope
  const { secret, updatedById } = value
  const known = await variables.find(tx, { repositoryId, environment, stack, name, phase })
  if (known)
    return variables.update(tx, known.id, {
      secret,
      updatedById,
      valueSealed: value.seal(known.id),
      version: known.version + 1,
    })
  const id = newId('var', nowOf(tx))
  const fresh = { id, secret, updatedById, valueSealed: value.seal(id), version: 1 }
  return variables.insert(tx, { repositoryId, environment, stack, name, phase, ...fresh })
}

export const findVariable = (db: Queries, scope: VariableScope): Promise<Variable | undefined> =>
  variables.find(db, scope)
export const getVariable = (db: Queries, id: string): Promise<Variable | undefined> => variables.get(db, id)
export const listVariables = (db: Queries, repositoryId: string): Promise<Variable[]> =>
  variables.all(db, { repositoryId })

/** False where there was none. */
export async function deleteVariable(tx: Queries, id: string): Promise<boolean> {
  const result = await tx.deleteFrom('variables').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows > 0n
}
/** Whether there is a variable of that name, wherever it counts. */
export const isAnyNamed = async (db: Queries, name: string): Promise<boolean> =>
  (await db.selectFrom('variables').select('id').where('name', '=', name).limit(1).executeTakeFirst()) !== undefined
