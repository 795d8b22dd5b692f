import type { Schemas } from '../../api/client.ts'
import { t } from '../../strings/merge-requests.ts'

/** What an approval is of: the commit and the plans that were on the screen. */
export interface Seen {
  head: string
  digests: Record<string, string>
  planned: boolean
}

export const seenOf = ({ head, digests, planned }: Schemas['MergeRequest']): Seen => ({ head, digests, planned })

/** What is there now and was not on the screen then, in words; empty when an approval would be of what was seen. */
export function changesSince(seen: Seen, mr: Schemas['MergeRequest']): string[] {
  const changes: string[] = []
  if (seen.head !== mr.head) changes.push(t.aPushBecame(seen.head.slice(0, 10), mr.head.slice(0, 10)))
  const stacks = new Set([...Object.keys(seen.digests), ...Object.keys(mr.digests)])
  for (const stack of [...stacks].sort()) {
    const [before, after] = [seen.digests[stack], mr.digests[stack]]
    if (before === after) continue
    if (before === undefined) changes.push(t.hasAPlanNow(stack))
    else if (after === undefined) changes.push(t.itsPlanIsBeingMade(stack))
    else changes.push(t.hasAnotherPlan(stack))
  }
  return changes
}
