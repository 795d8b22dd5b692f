import type { StackDefinition } from '../../domain/stacks/definition.ts'
import { stackKey } from '../../domain/stacks/stack.ts'
import type { Plan } from '../../domain/plans/plan.ts'
import type { FilePatch } from '../../drivers/driver.ts'
import { driverNamed } from '../../drivers/registry.ts'
import { getRun, listRuns } from '../../store/runs/runs.ts'
import { deedsOfRun, type StoredDeed } from '../../store/stacks/deeds.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import { filesOf } from '../../drivers/built-from.ts'
import type { RollbackPlan, StackReturn } from './plan.ts'

/** Runs of one stack that are looked through for what they imported, moved or let go of. */
const LOOK_BACK = 200

/**
 * The tree of a rollback with what its drivers write to take back imports, moves and hand-overs: by the earlier source
 * alone the tool would destroy what was imported or moved, and make anew what was let go of.
 */
export async function withUndo(
  parts: EngineParts,
  { repository, returns }: RollbackPlan,
  { head, tree }: { head: string; tree: string },
): Promise<{ tree: string; files: string[] }> {
  const git = repositoryOf(parts, repository.id)
  const { stacks, view } = await parts.snapshots.of(repository.id, git, tree)
  const patches: FilePatch[] = []
  for (const entry of returns) {
    const definition = stacks.get(stackKey(entry.stack.environment, entry.stack.name))?.definition
    if (definition) patches.push(...(await patchesFor(parts, entry, definition, filesOf(git, view))))
  }
  if (patches.length === 0) return { tree, files: [] }
  const author = (await git.commit(head)).committer
  const parent = await git.commitTree({ tree, parents: [head], message: 'rollback\n', author })
  const commit = await git.commitFiles({ parent, message: 'rollback\n', author, files: patches })
  return { tree: (await git.commit(commit)).tree, files: patches.map(({ path }) => path) }
}

async function patchesFor(
  parts: EngineParts,
  { stack, badCommit, sinceRunId }: StackReturn,
  definition: StackDefinition,
  files: ReturnType<typeof filesOf>,
): Promise<FilePatch[]> {
  const driver = driverNamed(definition.driver)
  if (!driver.undo) return []
  const runs = await listRuns(parts.store.db, { stackId: stack.id, kinds: ['deploy'] }, { limit: LOOK_BACK })
  const deeds: StoredDeed[] = []
  let versions: Plan['toolVersions'] = {}
  for (const { id, commitOid } of runs.items.toReversed()) {
    if (sinceRunId === null ? commitOid !== badCommit : id <= sinceRunId) continue
    deeds.push(...(await deedsOfRun(parts.store.db, id)))
    versions = ((await getRun(parts.store.db, id))?.plan as Plan | null)?.toolVersions ?? versions
  }
  if (deeds.length === 0) return []
  return await driver.undo({ ...files, path: definition.path, deeds, toolVersions: versions, change: badCommit })
}
