import { TrueupError } from '../../lib/errors/error.ts'
import { isSafeName } from '../paths.ts'

/** As many as Linux follows. */
const MAX_FOLLOWED = 40

/**
 * The symlinks that lead out of the workspace. Every target is followed component by component through the other symlinks,
 * as the kernel would: `a/../..` may stay inside by its letters and still leave by way of a symlink `a`. Targets that do not
 * exist are harmless inside.
 */
export function escapingLinks(links: ReadonlyMap<string, string>): { path: string; target: string }[] {
  return [...links]
    .filter(([path, target]) => !staysInside(links, path, target))
    .map(([path, target]) => ({ path, target }))
}

function staysInside(links: ReadonlyMap<string, string>, path: string, target: string): boolean {
  if (target.startsWith('/') || target.includes('\0') || target.includes('\\') || target === '') return false
  const at = path.split('/').slice(0, -1)
  const left = target.split('/').reverse()
  for (let followed = 0; left.length > 0; ) {
    const component = left.pop()!
    if (component === '' || component === '.') continue
    if (component === '..') {
      if (at.pop() === undefined) return false
      continue
    }
    if (!isSafeName(component)) return false
    at.push(component)
    const next = links.get(at.join('/'))
    if (next === undefined) continue
    if (++followed > MAX_FOLLOWED || next.startsWith('/')) return false
    at.pop()
    left.push(...next.split('/').reverse())
  }
  return true
}

/** More of them are named by their number. */
const MAX_NAMED = 10

/**
 * Those that lead out, for a stack that wants them carried as they are (`links: keep`). They never come to stand in a
 * workspace, where something might follow them. PATH_OUTSIDE for a target that cannot be one.
 */
export function keptLinks(links: ReadonlyMap<string, string>, doing: string): Map<string, string> {
  const kept = new Map(escapingLinks(links).map(({ path, target }) => [path, target]))
  for (const [path, target] of kept) assertTarget(path, target, doing)
  return kept
}

/** Bytes of a path, without the zero at its end: limits.h, `PATH_MAX`. */
const MAX_TARGET_BYTES = 4095

/** PATH_OUTSIDE for what no symlink can lead to, and for bytes that are no text (`decodePath`): plans name targets. */
export function assertTarget(path: string, target: string, doing: string): void {
  const isPath = target !== '' && !/[\0\ufffd]/.test(target) && Buffer.byteLength(target) <= MAX_TARGET_BYTES
  if (isPath) return
  throw new TrueupError('PATH_OUTSIDE', {
    doing,
    why: `the target of the symlink ${path} is not a path of UTF-8 text`,
    next: 'Correct the link, or remove it.',
    details: { path },
  })
}

/** PATH_OUTSIDE naming the symlinks that lead out. */
export function refuseEscapingLinks(links: ReadonlyMap<string, string>, doing: string): void {
  const escaping = escapingLinks(links)
  const [first] = escaping
  if (!first) return
  const named = escaping.slice(0, MAX_NAMED).map(({ path, target }) => `${path} → ${JSON.stringify(target)}`)
  const more = escaping.length > MAX_NAMED ? `, and ${escaping.length - MAX_NAMED} more` : ''
  throw new TrueupError('PATH_OUTSIDE', {
    doing,
    why:
      escaping.length === 1
        ? `the symlink ${first.path} points to ${JSON.stringify(first.target)}, which is outside`
        : `${escaping.length} symlinks point outside: ${named.join(', ')}${more}`,
    next: 'Let symlinks point to files of the repository by relative paths, or remove them. A `files` stack can place them as they are: `links: keep`.',
    details: { path: first.path, target: first.target },
  })
}
