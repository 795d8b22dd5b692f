import { realpath, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'

/**
 * Absolute path of a file or directory that the stack names relative to its own directory.
 * PATH_OUTSIDE where it leaves the workspace, also through a symbolic link; SOURCE_INVALID where nothing is there.
 */
export async function insideWorkspace(context: DriverContext<unknown>, path: string): Promise<string> {
  const doing = `resolving "${path}", named by the settings of stack "${context.stack.name}"`
  const absolute = resolve(context.directory, path)
  const root = await realpath(context.workspace)
  const inside = (base: string, candidate: string): boolean => candidate === base || candidate.startsWith(base + sep)
  if (!inside(resolve(context.workspace), absolute)) {
    throw new TrueupError('PATH_OUTSIDE', { doing, why: 'it lies outside the repository' })
  }
  const real = await realpath(absolute).catch((cause: unknown) => {
    throw new TrueupError('SOURCE_INVALID', { doing, why: 'there is no such file in the repository', cause })
  })
  if (inside(root, real)) return absolute
  throw new TrueupError('PATH_OUTSIDE', { doing, why: 'a symbolic link leads out of the repository' })
}

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
