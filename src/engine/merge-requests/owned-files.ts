import { ownerGroupsOf } from '../../domain/gates/code-owners.ts'
import type { OwnedFile } from '../../domain/gates/owned-files.ts'
import type { EnvironmentRules } from '../../domain/stacks/environment.ts'
import type { MergeRequest } from '../../store/changes/merge-requests.ts'
import { type EngineParts, repositoryOf } from '../parts.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'

/**
 * The files of an MR that have owners on its target branch, with what the merge would put there: an approval binds to
 * that, so it falls with a later push, and with a change of the target that is merged into the same file.
 */
export async function ownedFiles(parts: EngineParts, mr: MergeRequest, target: Snapshot): Promise<OwnedFile[]> {
  const { owners } = target
  if (!owners) return []
  const git = repositoryOf(parts, mr.repositoryId)
  // Without a merge result (a conflict, or none made yet) nothing merges; what its branch says stands in.
  const result = mr.mergeTreeOid ?? mr.headOid
  const base =
    mr.mergeTreeOid === null ? ((await git.mergeBase(mr.targetOid, mr.headOid)) ?? mr.targetOid) : mr.targetOid
  const changed = await git.changedPaths(base, result)
  const owned = changed
    .map((path) => ({ path, groups: ownerGroupsOf(owners, path) }))
    .filter(({ groups }) => groups.length > 0)
  if (owned.length === 0) return []
  const entries = await git.pathOids(
    result,
    owned.map(({ path }) => path),
  )
  return owned.flatMap(({ path, groups }) => {
    const entry = entries.get(path)
    const content = entry ? `${entry.mode} ${entry.oid}` : 'gone'
    return groups.map((group) => ({ path, content, group }))
  })
}

/**
 * Owned files that no environment asks about: where one that the MR concerns does, all of them are asked for there. A
 * file is left out that lies in stacks only whose environments do not ask.
 */
export function strayOwned(
  owned: readonly OwnedFile[],
  rules: ReadonlyMap<string, EnvironmentRules>,
  target: Snapshot,
  result: Snapshot,
): OwnedFile[] {
  if ([...rules.values()].some(({ approvals }) => approvals.codeOwners)) return []
  const environments = target.config?.environments ?? {}
  const asks = (environment: string): boolean => environments[environment]?.approvals?.codeOwners === true
  if (!Object.keys(environments).some(asks)) return []
  return owned.filter(({ path }) => {
    const keys = [target, result].flatMap(({ index, stacks }) =>
      index.interested(path).flatMap((key) => stacks.get(key)?.definition.environment ?? []),
    )
    return keys.length === 0 || keys.some(asks)
  })
}
