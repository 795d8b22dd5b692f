import { stat } from 'node:fs/promises'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import { insideWorkspace } from '../../paths/inside.ts'

/**
 * Absolute path of a file or directory that the stack names relative to its own directory.
 * PATH_OUTSIDE where it leaves the workspace, also through a symbolic link; SOURCE_INVALID where nothing is there.
 */
export async function fileOfStack(context: DriverContext<unknown>, path: string): Promise<string> {
  const doing = `resolving "${path}", named by the settings of stack "${context.stack.name}"`
  const absolute = await insideWorkspace(context, path)
  if (await isThere(absolute)) return absolute
  throw new TrueupError('SOURCE_INVALID', { doing, why: 'there is no such file in the repository' })
}

export const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )
