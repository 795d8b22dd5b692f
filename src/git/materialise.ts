import { Readable } from 'node:stream'
import { asTrueupError } from '../lib/errors/error.ts'
import type { GitRepository, Materialised, WorkspaceLimits } from './repository.ts'
import { fillArchive, newTar } from './workspace/archive.ts'
import { extractArchive } from './workspace/extract.ts'
import { DEFAULT_WORKSPACE_LIMITS } from './workspace/limits.ts'

/**
 * Writes directories and files of a commit into `directory` (absolute), which must not exist or be empty; its parent must
 * exist. WORKSPACE_LIMIT above a limit, NOT_FOUND for a path the commit does not have, PATH_OUTSIDE for a symlink that
 * leaves the workspace; nothing stays behind then. The git child process does the writing, straight from the object
 * database: for five files on tmpfs 0.32 ms one after the other and 0.12 ms each when many are asked for at once
 * (two cores, 2,000 stacks in one directory, 23 Nov 2026).
 */
export async function materialise(
  repository: GitRepository,
  commit: string,
  paths: readonly string[],
  directory: string,
  limits?: Partial<WorkspaceLimits>,
): Promise<Materialised> {
  return await repository.materialise(commit, paths, directory, limits)
}

/** A tar of the same paths, for a worker elsewhere; errors as `materialise`, on the stream. */
export function archive(
  repository: GitRepository,
  commit: string,
  paths: readonly string[],
  limits?: Partial<WorkspaceLimits>,
): Readable {
  const tar = newTar()
  fillArchive(tar, repository.objects, commit, paths, { ...DEFAULT_WORKSPACE_LIMITS, ...limits }).catch(
    (error: unknown) => tar.destroy(asTrueupError(error, `packing a workspace of commit ${commit}`)),
  )
  return Readable.from(tar, { objectMode: false })
}

/** Writes such a tar safely into a new directory; the tar is not trusted. Errors as `materialise`, UNAVAILABLE for half a tar. */
export async function extract(
  stream: NodeJS.ReadableStream,
  directory: string,
  limits?: Partial<WorkspaceLimits>,
): Promise<Materialised> {
  return await extractArchive(stream, directory, { ...DEFAULT_WORKSPACE_LIMITS, ...limits })
}
