import { accessSync, constants } from 'node:fs'
import { posix } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import { errorCode, type HostTree } from '../host/host-tree.ts'
import { reasonOf } from '../host/live.ts'
import { mountsBelow } from '../host/mounts.ts'
import { addressOf, type Target } from '../host/target.ts'
import type { Step } from './compare.ts'

/** Beyond so many it is one problem of the host, and the first say which. */
const MAX_NAMED = 10

/** A planned change that the host will not let be made. */
export interface Obstacle {
  address: string
  why: string
}

/**
 * What would stop an apply half-way: something is mounted on what has to be replaced or removed (a rename onto a mount is
 * EBUSY for root too), or the kernel lets nobody write it (immutable, read-only). Asked by access(2), which changes
 * nothing; a file that this process merely may not write is none, since it is replaced and not written.
 */
export function obstaclesTo(target: Target, tree: HostTree | null, steps: readonly Step[]): Obstacle[] {
  if (tree === null || steps.length === 0) return []
  const mounts = mountsBelow(tree.root)
  const directories = new Map<string, string | null>()
  return steps.flatMap(({ act, path, live }): Obstacle[] => {
    if (act === 'reload' || act === 'above') return []
    const address = addressOf(target.path, path)
    if (act !== 'attributes' && mounts.has(path) && live.kind !== 'absent') {
      return [{ address, why: 'something is mounted on it, so it can be neither replaced nor removed' }]
    }
    // Of a link, access(2) would ask what it leads to.
    const isChangedInPlace = act === 'attributes' && live.kind !== 'symlink'
    const own = live.kind === 'file' || isChangedInPlace ? refusal(tree, path, ONLY_NOBODY) : null
    const parent = act === 'attributes' || path === '' ? null : parentRefusal(directories, tree, posix.dirname(path))
    const why = own ?? parent
    return why === null ? [] : [{ address, why }]
  })
}

/** @throws TARGET_DENIED naming what stands in the way, before anything is written */
export function refuseObstacles(target: Target, obstacles: readonly Obstacle[]): void {
  if (obstacles.length === 0) return
  const named = obstacles.slice(0, MAX_NAMED).map(({ address, why }) => `${address}: ${why}`)
  const more = obstacles.length > MAX_NAMED ? `; and ${obstacles.length - MAX_NAMED} more` : ''
  throw new TrueupError('TARGET_DENIED', {
    doing: `changing ${target.path}`,
    why: `${named.join('; ')}${more}. Nothing was changed`,
    next: 'Put that right on the host (umount, `chattr -i`, remount), or take these paths out with `exclude`.',
  })
}

/** EPERM of access(2) is what the kernel says of immutable files; EACCES is a matter of rights to the content alone. */
const ONLY_NOBODY: ReadonlySet<string> = new Set(['EPERM', 'EROFS'])
const ALL_REFUSALS: ReadonlySet<string> = new Set(['EPERM', 'EROFS', 'EACCES'])

function parentRefusal(known: Map<string, string | null>, tree: HostTree, directory: string): string | null {
  const below = directory === '.' ? '' : directory
  const found = known.get(below)
  if (found !== undefined) return found
  const why = refusal(tree, below, ALL_REFUSALS)
  const said = why === null ? null : `in its directory, ${why}`
  known.set(below, said)
  return said
}

function refusal(tree: HostTree, path: string, codes: ReadonlySet<string>): string | null {
  const place = tree.locate(path)
  if (place.kind !== 'open') return null
  try {
    accessSync(place.path, constants.W_OK)
    return null
  } catch (error) {
    return codes.has(errorCode(error)) ? reasonOf(error) : null
  }
}
