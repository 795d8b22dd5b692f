import { type Dirent, lstatSync, readdirSync } from 'node:fs'
import { byteNames } from '../host/byte-names.ts'
import type { HostTree } from '../host/host-tree.ts'
import { isOwnName } from '../host/inventory.ts'
import { type Live, look, reasonOf } from '../host/live.ts'

/** Something under the target that Git does not have. */
export interface Extra {
  path: string
  live: Live
}

export interface ExtrasFound {
  /** What is in a directory stands before the directory. */
  extras: Extra[]
  unchecked: { path: string; why: string }[]
  /** Something in the directory stays. */
  keeps: boolean
}

export interface ExtrasSearch {
  /** What Git has at a path. */
  wanted(path: string): 'file' | 'symlink' | 'directory' | undefined
  isExcluded: (path: string) => boolean
  /** Names of the own stack's inventory; a directory with another's belongs to another stack. */
  inventory: string
  /** Device of the target: other file systems mounted below it are left alone. */
  device: number
  /** Something is mounted there, perhaps of the same device. */
  isMount: (path: string) => boolean
}

/**
 * Everything below `directory` that is not wanted, deepest first. A directory is extra when all that is in it is; one that
 * keeps something (excluded, unreadable, a mount point, another stack's target) stays.
 */
export function findExtras(tree: HostTree, directory: string, search: ExtrasSearch): ExtrasFound {
  const found: ExtrasFound = { extras: [], unchecked: [], keeps: false }
  found.keeps = !visit(directory)
  return found

  /** True when nothing of the directory has to stay. */
  function visit(below: string): boolean {
    let empty = true
    for (const entry of list(below)) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (isOwnName(entry.name)) {
        empty &&= below !== '' && entry.name.startsWith(search.inventory.slice(0, -'.json'.length))
        continue
      }
      if (search.isExcluded(path)) {
        empty = false
        continue
      }
      if (isUnnameable(tree, path)) {
        nameInBytes(below, entry.name)
        empty = false
        continue
      }
      if (!keepOrRemove(path)) empty = false
    }
    return empty
  }

  /** Several names may look the same: each is told once. */
  function nameInBytes(below: string, shown: string): void {
    const place = tree.directory(below)
    for (const name of place.kind === 'open' ? byteNames(place.path, shown) : []) {
      const path = below === '' ? name : `${below}/${name}`
      if (found.unchecked.some((known) => known.path === path)) continue
      found.unchecked.push({ path, why: 'its name is not valid UTF-8: rename or remove it by hand' })
    }
  }

  /** True when the entry goes. */
  function keepOrRemove(path: string): boolean {
    const live = look(tree, path)
    const wanted = search.wanted(path)
    if (live.kind === 'absent') return true
    if (live.kind === 'unreadable') {
      found.unchecked.push({ path, why: live.why })
      return false
    }
    if (search.isMount(path) || (live.kind === 'directory' && live.status.device !== search.device)) {
      if (!wanted) found.unchecked.push({ path, why: 'something is mounted here' })
      return false
    }
    // A directory where Git has a file is replaced with all that is in it, which is planned there.
    if (wanted !== undefined && wanted !== 'directory') return false
    if (live.kind === 'directory') {
      if (isForeign(path)) {
        if (!wanted) found.unchecked.push({ path, why: 'it is the target of another stack' })
        return false
      }
      if (!visit(path) || wanted) return false
    } else if (wanted) return false
    found.extras.push({ path, live })
    return true
  }

  function isForeign(path: string): boolean {
    return list(path).some(({ name }) => name.endsWith('.json') && isOwnName(name) && name !== search.inventory)
  }

  function list(path: string): Dirent[] {
    try {
      const place = tree.directory(path)
      if (place.kind !== 'open') return []
      return readdirSync(place.path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (error) {
      found.unchecked.push({ path, why: reasonOf(error) })
      return []
    }
  }
}

/** Names that are no UTF-8 come with a replacement character, and then cannot be found again under it. */
function isUnnameable(tree: HostTree, path: string): boolean {
  if (!path.includes('\uFFFD')) return false
  const place = tree.locate(path)
  return place.kind === 'open' && lstatSync(place.path, { throwIfNoEntry: false }) === undefined
}
