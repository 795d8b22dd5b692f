import type { StackKey } from '../../domain/stacks/stack.ts'
import { driverNamed } from '../../drivers/registry.ts'
import type { GitRepository, PathEntry, TreeChange } from '../../git/repository.ts'
import type { Snapshot } from './snapshot.ts'
import { filesOf } from '../../drivers/built-from.ts'
import type { TreeView } from '../../git/tree-view.ts'

/**
 * Which of the stacks that a change concerns must have their files read again: those whose dependencies it may change. For
 * the others only the objects at known paths are looked up, so that a change of a module costs its users next to nothing.
 */
export async function stacksToRead(
  repository: GitRepository,
  previous: Snapshot,
  view: TreeView,
  { changes, concerned }: { changes: readonly TreeChange[]; concerned: ReadonlySet<StackKey> },
): Promise<ReadonlySet<StackKey>> {
  if (!changes.every((change) => isPlainFile(change.old) && isPlainFile(change.new))) return concerned
  const paths = changes.map((change) => change.path)
  const before = filesOf(repository, previous.view).read
  const after = filesOf(repository, view).read
  const toRead = new Set<StackKey>()
  const driverOf = (key: StackKey): string => previous.stacks.get(key)!.definition.driver
  for (const name of new Set([...concerned].map(driverOf))) {
    const changed = (await driverNamed(name).dependencyChanges?.(before, after, paths)) ?? paths
    for (const path of changed)
      for (const key of previous.index.interested(path)) if (driverOf(key) === name) toRead.add(key)
  }
  return toRead
}

const isPlainFile = (entry: PathEntry | null): boolean => entry?.mode === '100644' || entry?.mode === '100755'
