import { placeOfEvent, placeOfMergeRequest } from '../../domain/traces.ts'
import type { EndedSpan } from '../../lib/tracing/span.ts'

/** What is told of a merge request that has been merged or closed. */
export interface MergeRequestFacts {
  id: string
  number: number
  repository: string
  state: 'merged' | 'closed'
  /** Why Trueup made it; null for people's. */
  origin: string | null
  sourceBranch: string
  targetBranch: string
  createdAt: number
  endedAt: number
  /** What the audit has of it, oldest first. */
  events: readonly { seq: number; action: string; actor: string; at: number; head: string | null }[]
}

/**
 * One span from its first push to its end, and below it: each push, each review from the push that it looked at, and the merge
 * from its begin.
 */
export function mergeRequestSpans(mr: MergeRequestFacts): EndedSpan[] {
  const place = placeOfMergeRequest(mr.id)
  const spans: EndedSpan[] = [
    {
      ...place,
      name: `merge request ${mr.repository}!${mr.number}`,
      startedAt: mr.createdAt,
      endedAt: mr.endedAt,
      attributes: {
        'trueup.repository': mr.repository,
        'trueup.merge_request': mr.number,
        'trueup.merge_request.state': mr.state,
        'vcs.change.id': String(mr.number),
        'vcs.ref.head.name': mr.sourceBranch,
        'vcs.ref.base.name': mr.targetBranch,
        ...(mr.origin !== null && { 'trueup.merge_request.origin': mr.origin }),
      },
    },
  ]
  let pushedAt = mr.createdAt
  let mergingAt: number | undefined
  for (const event of mr.events) {
    const below = (name: string, startedAt: number): void => {
      spans.push({
        ...placeOfEvent(mr.id, event.seq),
        parentId: place.spanId,
        name,
        startedAt,
        endedAt: event.at,
        attributes: {
          'trueup.actor': event.actor,
          'trueup.audit': event.seq,
          ...(event.head !== null && { 'vcs.ref.head.revision': event.head }),
        },
      })
    }
    switch (event.action) {
      case 'mr.open':
      case 'mr.head':
        pushedAt = event.at
        below('push', event.at)
        break
      case 'mr.approve':
      case 'mr.request_changes':
        below(event.action === 'mr.approve' ? 'approval' : 'changes requested', pushedAt)
        break
      case 'mr.merging':
        mergingAt = event.at
        break
      case 'mr.merge':
      case 'mr.merge_bypassed':
        below(event.action === 'mr.merge' ? 'merge' : 'merge past the gate', mergingAt ?? event.at)
    }
  }
  return spans
}
