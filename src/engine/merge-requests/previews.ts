import type { StackKey } from '../../domain/stacks/stack.ts'
import type { Json } from '../../lib/json.ts'

/** What an MR does to one stack, and where its plan is. Stored as `mergeRequests.previews`. */
export interface PreviewRef {
  how: 'added' | 'changed' | 'removed' | 'dependant'
  /** The run that planned it; null while it waits or where there is nothing to plan. */
  runId: string | null
  /** Planned with predicted inputs, or before stacks that it needs are deployed as the MR has them. */
  provisional: boolean
  /** Those stacks. */
  awaits?: StackKey[]
  /** Why there is no run, in words. */
  note: string | null
  /** The note is final: merging does not wait for a plan. */
  settled: boolean
  /** Set where the plan could be made and is not yet: it waits for its turn, or for an approval (of a pool, of what is executed). */
  held?: 'turn' | 'pool' | 'executable'
}

export type PreviewRefs = { [key: StackKey]: PreviewRef }

export const previewsOf = (mr: { previews: unknown }): PreviewRefs => (mr.previews ?? {}) as PreviewRefs
/** Ids of the runs that plan them. */
export const runsOf = (previews: PreviewRefs): string[] =>
  Object.values(previews).flatMap(({ runId }) => (runId === null ? [] : [runId]))
export const previewsToJson = (previews: PreviewRefs): Json => previews as unknown as Json
