import { type StackKey, stackKey } from '../../domain/stacks/stack.ts'
import { noteChange, nowOf, type Queries, type Tx } from '../database/context.ts'
import { inPortions } from '../database/look-up.ts'
import { stackCodec, type Stack, type StackIdentity } from './stacks.ts'

/** What those who put many stacks in order need of each. */
export type StackFacts = Pick<Stack, 'id' | 'environment' | 'name' | 'desiredCommit' | 'deployedCommit'>

/** Those of a repository's stacks that exist, by key; without their configurations, which are large. */
export async function findStacks(
  db: Queries,
  repositoryId: string,
  identities: readonly Pick<Stack, 'environment' | 'name'>[],
): Promise<Map<StackKey, StackFacts>> {
  const names = new Map<string, string[]>()
  for (const { environment, name } of identities) {
    const others = names.get(environment)
    if (others) others.push(name)
    else names.set(environment, [name])
  }
  const found = new Map<StackKey, StackFacts>()
  for (const [environment, of] of names) {
    const rows = await inPortions(of, (part) =>
      db
        .selectFrom('stacks')
        .select(['id', 'environment', 'name', 'desiredCommit', 'deployedCommit'])
        .where('repositoryId', '=', repositoryId)
        .where('environment', '=', environment)
        .where('name', 'in', part)
        .execute(),
    )
    for (const row of rows) found.set(stackKey(row.environment, row.name), row)
  }
  return found
}

/** Members that are written of a stack that Git says something of. */
type Written =
  | 'path'
  | 'driver'
  | 'config'
  | 'facets'
  | 'desiredCommit'
  | 'desiredDigest'
  | 'removedAt'
  | 'status'
  | 'statusReason'

const WRITTEN = [
  'path',
  'driver',
  'configJson',
  'facets',
  'desiredCommit',
  'desiredDigest',
  'removedAt',
  'status',
  'statusReason',
  'updatedAt',
] as const

/** Makes these stacks, or sets these members of those with an id that is there. Few enough for one statement. */
export async function putStacks(
  tx: Tx,
  stacks: readonly (StackIdentity & Pick<Stack, 'id' | Written>)[],
): Promise<void> {
  if (stacks.length === 0) return
  const now = nowOf(tx)
  const rows = stacks.map((stack) => ({
    moves: 0,
    createdAt: now,
    updatedAt: now,
    ...stackCodec.toRow(stack),
  }))
  await tx
    .insertInto('stacks')
    .values(rows as never[])
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet((row) => Object.fromEntries(WRITTEN.map((column) => [column, row.ref(`excluded.${column}`)]))),
    )
    .execute()
  for (const { id, repositoryId } of stacks) noteChange(tx, { topic: 'stack', id, stackId: id, repositoryId })
}
