import { join } from 'node:path'
import { TrueupError } from '../lib/errors/error.ts'
import { createBatchedReader } from './batched-reader.ts'
import type { GitChild } from './child-process.ts'
import { commitFiles } from './commit-files.ts'
import { compare } from './comparing.ts'
import { createFiles } from './files.ts'
import { createGitCommand } from './git-command.ts'
import { createHistory } from './history.ts'
import { createLifecycle } from './lifecycle.ts'
import { DEFAULT_WORKSPACE_LIMITS } from './workspace/limits.ts'
import { createMerging } from './merging.ts'
import { checkOid } from './names.ts'
import { createPacking } from './packing.ts'
import { createReferences } from './references.ts'
import { createRemote } from './remote.ts'
import { createSignatures } from './signatures.ts'
import type { GitRepository } from './repository.ts'
import { createTreeReader } from './trees.ts'
import { treeChanges } from './tree-changes.ts'

/** A repository of the service; keeps nothing open but its cache of trees. */
export function openRepository(child: GitChild, root: string, id: string): GitRepository {
  const objects = createBatchedReader(child, id)
  const trees = createTreeReader(objects)
  const git = createGitCommand(child, id)
  return {
    id,
    directory: join(root, `${id}.git`),
    objects,
    ...createLifecycle(child, git, root, id),
    ...createReferences(child, git, objects, id),
    ...createRemote(git),
    ...createFiles(objects, trees),
    ...createHistory(git, objects),
    ...createMerging(git),
    ...createPacking(git, join(root, `${id}.git`)),
    ...createSignatures(git),
    diff: (base, head, options) => compare(child, git, id, { base, head }, options),
    treeChanges: (oldTree, newTree) => treeChanges(child, id, oldTree, newTree),
    commitFiles: (options) => commitFiles(git, options),
    async materialise(commit, paths, directory, limits) {
      const doing = 'making a workspace'
      if (!directory.startsWith('/')) {
        throw new TrueupError('INVALID_REQUEST', { doing, why: `${JSON.stringify(directory)} is not an absolute path` })
      }
      const all = { ...DEFAULT_WORKSPACE_LIMITS, ...limits }
      return await child.call('materialise', {
        repository: id,
        commit: checkOid(commit, doing),
        paths,
        directory,
        limits: all,
      })
    },
  }
}
