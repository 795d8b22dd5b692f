import { posix } from 'node:path'
import type { Place } from '../../domain/plans/place.ts'
import { digestOf } from '../../lib/digest.ts'

/** What of a host tells which of its paths are one place. */
export interface HostView {
  /** Name and digest of the machine id, without `:` and `/`: `web1~3f2a91bc04de`. */
  id: string
  mounts: readonly Mount[]
}

interface Mount {
  /** Of the file system: equal for all mounts of it. */
  device: string
  /** Directory of the file system that is mounted; another than `/` where it is bound. */
  root: string
  point: string
}

/**
 * What a machine is called in addresses of places. A clone has the id of its original and another name; the id itself is
 * not to be told (machine-id(5)).
 */
export function hostId(nodename: string, machineId: string): string {
  const name = nodename.trim().replaceAll(/[:/~\s]/g, '_') || 'unnamed'
  return `${name}~${digestOf(`trueup-host ${machineId.trim()}`).slice('sha256:'.length).slice(0, 12)}`
}

/** `/proc/self/mountinfo` (proc_pid_mountinfo(5)): id, parent, major:minor, root, mount point, …; octal escapes for blanks. */
export function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [, , device, root, point] = line.split(' ')
    if (device === undefined || root === undefined || point?.startsWith('/') !== true) return []
    return [{ device, root: unescaped(root), point: unescaped(point) }]
  })
}

const unescaped = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/**
 * One name for a path that several mounts show: of all paths to the same directory of the same file system the shortest.
 * `path` is absolute, with its links followed.
 */
export function mountedPath(mounts: readonly Mount[], path: string): string {
  const mount = mountOf(mounts, path)
  if (mount === undefined) return path
  const inside = posix.join(mount.root, posix.relative(mount.point, path))
  const names = mounts
    .filter((other) => other.device === mount.device && isBelow(inside, other.root))
    .map((other) => ({ other, name: posix.join(other.point, posix.relative(other.root, inside)) }))
    // Where something else is mounted over it, the name leads elsewhere.
    .filter(({ other, name }) => mountOf(mounts, name) === other)
    .map(({ name }) => name)
  return [path, ...names].toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))[0]!
}

/** The mount that a path is on: the innermost, and of several at one point the last. */
function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let found: Mount | undefined
  for (const mount of mounts)
    if (isBelow(path, mount.point) && (found === undefined || mount.point.length >= found.point.length)) found = mount
  return found
}

const isBelow = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`)

/** A file or directory of a host as a place; `realPath` has its links followed. */
export const placeOn = ({ id, mounts }: HostView, realPath: string, more: Omit<Place, 'address'> = {}): Place => ({
  address: `host:${id}:${mountedPath(mounts, realPath)}`,
  ...more,
})
