import type { Change, Queries } from '../database/context.ts'

/**
 * The change with the repository that it belongs to. Rows of a stack or a merge request (drift records, comments,
 * reviews, outputs) do not carry it themselves, and whoever passes changes on must know whose they are.
 */
export async function withRepository(db: Queries, change: Change): Promise<Change> {
  if (change.repositoryId !== undefined) return change
  const owner =
    change.stackId !== undefined
      ? db.selectFrom('stacks').select('repositoryId').where('id', '=', change.stackId)
      : change.topic === 'mr'
        ? db.selectFrom('mergeRequests').select('repositoryId').where('id', '=', change.id)
        : null
  const row = await owner?.executeTakeFirst()
  return row ? { ...change, repositoryId: row.repositoryId } : change
}
