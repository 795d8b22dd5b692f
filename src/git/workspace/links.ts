import { TrueupError } from '../../lib/errors/error.ts'
import { isSafeName } from '../paths.ts'

/** As many as Linux follows. */
const MAX_FOLLOWED = 40

/**
 * The first symlink that leads out of the workspace, or null. Every target is followed component by component through
 * the other symlinks, as the kernel would: `a/../..` may stay inside by its letters and still leave by way of a symlink `a`.
 * Targets that do not exist are harmless inside.
 */
export function escapingLink(links: ReadonlyMap<string, string>): { path: string; target: string } | null {
  for (const [path, target] of links) {
    if (!staysInside(links, path, target)) return { path, target }
  }
  return null
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

/** PATH_OUTSIDE naming the first symlink that leads out. */
export function refuseEscapingLinks(links: ReadonlyMap<string, string>, doing: string): void {
  const escaping = escapingLink(links)
  if (!escaping) return
  throw new TrueupError('PATH_OUTSIDE', {
    doing,
    why: `the symlink ${escaping.path} points to ${JSON.stringify(escaping.target)}, which is outside`,
    next: 'Let the symlink point to a file of the repository by a relative path, or remove it.',
    details: { path: escaping.path, target: escaping.target },
  })
}
