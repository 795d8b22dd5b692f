import { realpath } from 'node:fs/promises'
import { posix, resolve, sep } from 'node:path'
import { TrueupError } from '../../lib/errors/error.ts'
import type { DriverContext } from '../driver.ts'

/**
 * Absolute path of a file or directory that the stack names relative to `from` (default: the stack's own directory).
 * PATH_OUTSIDE where it leaves the workspace, also through a symbolic link.
 */
export async function insideWorkspace(
  context: DriverContext<unknown>,
  path: string,
  from = context.directory,
): Promise<string> {
  const absolute = resolve(from, path)
  const workspace = resolve(context.workspace)
  const root = await realpath(workspace)
  const real = await realpath(absolute).catch(() => absolute)
  const inside = (base: string, candidate: string): boolean => candidate === base || candidate.startsWith(base + sep)
  if (inside(workspace, absolute) && (inside(root, real) || inside(workspace, real))) return absolute
  throw outside(path, context.stack.path)
}

/**
 * Joins a path of the repository with one relative to it. PATH_OUTSIDE, with who named it, where the result is above the
 * root.
 */
export function joinInside(directory: string, path: string, namedBy = directory): string {
  const joined = posix.normalize(posix.join(directory, path)).replace(/\/$/, '')
  if (posix.isAbsolute(path) || joined === '..' || joined.startsWith('../')) throw outside(path, namedBy)
  return joined
}

/** `path` is `directory` itself or below it. Both relative to the repository's root, `.` being the root. */
export function isWithin(directory: string, path: string): boolean {
  return directory === '.' || directory === '' || path === directory || path.startsWith(`${directory}/`)
}

/** The paths without those that lie below another one of them, sorted. */
export function withoutCovered(paths: readonly string[]): string[] {
  const sorted = [...new Set(paths)].toSorted()
  return sorted.filter((path) => !sorted.some((other) => other !== path && isWithin(other, path)))
}

function outside(path: string, namedBy: string): TrueupError {
  return new TrueupError('PATH_OUTSIDE', {
    doing: `resolving "${path}", named by ${namedBy}`,
    why: 'it lies outside the repository',
    details: { path, namedBy },
  })
}
