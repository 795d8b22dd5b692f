import type { Queries } from '../../store/database/context.ts'
import { listMergeRequests, type MergeRequest, type MergeRequestFilter } from '../../store/changes/merge-requests.ts'

/** Every open MR that matches, a page at a time: a busy repository has more than one page of them. */
export async function* openMergeRequests(
  queries: Queries,
  filter: Omit<MergeRequestFilter, 'states'>,
): AsyncGenerator<MergeRequest> {
  let cursor: string | undefined
  do {
    const page = await listMergeRequests(
      queries,
      { ...filter, states: ['open'] },
      { limit: 100, ...(cursor && { cursor }) },
    )
    yield* page.items
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
}
