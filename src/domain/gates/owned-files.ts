import type { OwnerGroup } from './code-owners.ts'
import { isIn, listed, namesOf, type Review, type TeamsOf } from './votes.ts'

/** A file that a change touches, with the people of one section who own it; a file of several sections has several. */
export interface OwnedFile {
  path: string
  /** What the merge would put there: mode and blob, `gone` where it removes the file. An approval binds to it. */
  content: string
  group: OwnerGroup
}

/**
 * What is still to be had of code owners. An approval speaks for a file only while that is what its giver saw: what is
 * pushed to it later is unseen, even where every plan stays the same. `valid`: approvals that count otherwise.
 * One sentence per group of owners, not per file: a large change has thousands of files and few owners.
 */
export function missingOwners(owned: readonly OwnedFile[], valid: readonly Review[], teamsOf: TeamsOf): string[] {
  const waiting = new Map<string, { paths: string[]; outdated: Set<string> }>()
  for (const { path, content, group } of owned) {
    if (group.owners.length === 0) continue
    const owners = valid.filter((review) => group.owners.some((owner) => isIn(owner, review, teamsOf)))
    const current = owners.filter(({ files }) => files?.[path] === content)
    if (current.length >= group.needed) continue
    const what = sentence(group, current.length)
    const entry = waiting.get(what) ?? { paths: [], outdated: new Set() }
    entry.paths.push(path)
    for (const review of owners) if (!current.includes(review)) entry.outdated.add(review.userName)
    waiting.set(what, entry)
  }
  return [...waiting].map(([what, { paths, outdated }]) => {
    const since = outdated.size > 0 ? ` (${listed([...outdated])} approved another content of it)` : ''
    return `${what} of ${listed(paths)}${since}`
  })
}

function sentence({ owners, needed, section }: OwnerGroup, have: number): string {
  const names = namesOf(owners)
  if (needed === 1) return `an approval by ${names} as code owner`
  const where = section === null ? '' : ` [${section}]`
  return `${needed} approvals by ${names} as code owners${where} (${have} of ${needed})`
}
