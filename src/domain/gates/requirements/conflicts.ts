import { type ChangeKind, listed, met, unmet } from './kind.ts'

export const conflicts: ChangeKind = (facts) => {
  if (facts.conflicts.length === 0) return [met('conflicts', 'merges cleanly')]
  return [
    unmet(
      'conflicts',
      `conflicts with the target branch in ${listed(facts.conflicts)}`,
      'Merge the target branch into yours, resolve the conflicts and push.',
    ),
  ]
}
