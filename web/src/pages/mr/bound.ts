import type { Schemas } from '../../api/client.ts'

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
  if (seen.head !== mr.head) changes.push(`A push: ${seen.head.slice(0, 10)} became ${mr.head.slice(0, 10)}`)
  const stacks = new Set([...Object.keys(seen.digests), ...Object.keys(mr.digests)])
  for (const stack of [...stacks].sort()) {
    const [before, after] = [seen.digests[stack], mr.digests[stack]]
    if (before === after) continue
    if (before === undefined) changes.push(`${stack}: has a plan now`)
    else if (after === undefined) changes.push(`${stack}: its plan is being made anew, or it is not affected any more`)
    else changes.push(`${stack}: has another plan`)
  }
  return changes
}
