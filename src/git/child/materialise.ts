import { TrueupError } from '../../lib/errors/error.ts'
import type { MaterialiseRequest } from '../protocol.ts'
import type { Materialised } from '../repository.ts'
import type { TreeReader } from '../trees.ts'
import { planWorkspace } from '../workspace/plan.ts'
import { createWorkspaceWriter } from '../workspace/writer.ts'
import { decodePath } from '../paths.ts'
import type { ObjectPool } from './object-pool.ts'

/**
 * Writes a workspace straight from the object database, without a tar or a checkout: two round trips to git for a flat
 * directory, and every file is written the moment its content arrives, so memory holds one file at a time.
 */
export async function materialiseWorkspace(
  pool: ObjectPool,
  trees: TreeReader,
  request: MaterialiseRequest,
): Promise<Materialised> {
  const { limits } = request
  const plan = await planWorkspace(trees, request.commit, request.paths, limits)
  const writer = createWorkspaceWriter(request.directory, limits)
  try {
    for (const path of plan.directories) writer.directory(path)
    for (const path of plan.submodules) writer.submodule(path)
    const objects = [...plan.files, ...plan.links]
    await pool.each(
      request.repository,
      objects.map((file) => file.oid),
      limits.maxBytes,
      (object, index) => {
        const { path, mode } = objects[index]!
        if (!object.found) throw unreadable(path, object.reason, limits.maxBytes)
        if (mode === '120000') writer.link(path, decodePath(object.content))
        else writer.file(path, object.content, mode === '100755')
      },
    )
    return writer.finish()
  } catch (error) {
    writer.abandon()
    throw error
  }
}

export function unreadable(path: string, reason: 'missing' | 'too-large', maxBytes: number): TrueupError {
  const doing = `reading ${path}`
  if (reason === 'missing') {
    return new TrueupError('GIT_OBJECT_MISSING', {
      doing,
      why: 'its content is not in the repository',
      next: 'Check the repository with `git fsck` and restore it from a backup.',
    })
  }
  return new TrueupError('WORKSPACE_LIMIT', { doing, why: `it has more than ${maxBytes} bytes`, details: { path } })
}
