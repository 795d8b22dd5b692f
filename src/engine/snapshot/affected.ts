import type { StackKey } from '../../domain/stacks/stack.ts'
import { changedKeys } from './overlaid-map.ts'
import type { Snapshot } from './snapshot.ts'

export interface Affected {
  key: StackKey
  how: 'added' | 'changed' | 'removed'
}

/** Stacks whose source differs between two snapshots, in the order of the newer configuration, removed ones last. */
export function affectedStacks(before: Snapshot, after: Snapshot): Affected[] {
  if (before.stacks === after.stacks) return []
  const candidates = changedKeys(before.stacks, after.stacks)
  if (candidates === null) return compareAll(before, after)
  const changed = new Set<StackKey>()
  for (const key of candidates) {
    if (before.stacks.get(key)!.sourceDigest !== after.stacks.get(key)!.sourceDigest) changed.add(key)
  }
  const ordered = changed.size < 2 ? [...changed] : [...after.stacks.keys()].filter((key) => changed.has(key))
  return ordered.map((key) => ({ key, how: 'changed' }))
}

function compareAll(before: Snapshot, after: Snapshot): Affected[] {
  const affected: Affected[] = []
  for (const [key, source] of after.stacks) {
    const old = before.stacks.get(key)
    if (old === source) continue
    if (!old) affected.push({ key, how: 'added' })
    else if (old.sourceDigest !== source.sourceDigest) affected.push({ key, how: 'changed' })
  }
  for (const key of before.stacks.keys()) if (!after.stacks.has(key)) affected.push({ key, how: 'removed' })
  return affected
}
