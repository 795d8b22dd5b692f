import { nowOf, type Store } from '../../store/open.ts'
import { findStack, type Stack, upsertStack } from '../../store/stacks/stacks.ts'
import type { StackSource } from '../snapshot/snapshot.ts'
import { specOf, specToJson } from '../run-spec.ts'

/**
 * The row of a stack that an MR plans. What an unmerged branch says is never written over what stands; a stack that only
 * the MR has gets a row that lists leave out until it is merged.
 */
export async function stackRowForPreview(store: Store, repositoryId: string, source: StackSource): Promise<Stack> {
  const { environment, name, path, driver } = source.definition
  const identity = { repositoryId, environment, name }
  const known = await findStack(store.db, identity)
  if (known) return known
  const config = specToJson(specOf(source))
  return await store.transaction(async (tx) => {
    const meanwhile = await findStack(tx, identity)
    return meanwhile ?? (await upsertStack(tx, { ...identity, path, driver, config, removedAt: nowOf(tx) }))
  })
}
