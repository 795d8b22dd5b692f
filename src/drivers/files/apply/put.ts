import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs'
import type { Step } from '../plan/compare.ts'
import { errorCode, type HostTree } from '../host/host-tree.ts'
import { isSameStatus, look } from '../host/live.ts'
import type { StagedEntry } from './stage.ts'

/** Mode of directories that have to be made and that no rule speaks of. */
export const DIRECTORY_MODE = 0o755

/** Whether a path still is what it was when it was compared. Directories change with what is put into them. */
export function isUnmoved(tree: HostTree | null, { path, live }: Step): boolean {
  const now = look(tree, path)
  if (now.kind !== live.kind) return false
  if (now.kind === 'absent' || now.kind === 'unreadable' || !('status' in live)) return true
  if (now.kind !== 'directory') return isSameStatus(now.status, live.status)
  const { mode, uid, gid } = now.status
  return mode === live.status.mode && uid === live.status.uid && gid === live.status.gid
}

/** Puts a staged file or link in its place with one rename. Throws system errors. */
export function putStaged(tree: HostTree, { step, directory, name }: StagedEntry): void {
  // Both names stay valid while the descriptors are open; the second walk keeps what it shares with the first, so a
  // file staged above its place is renamed by its own open directory.
  const source = tree.open(directory)
  try {
    if (step.live.kind === 'directory') rmdirSync(pathOf(tree, step.path))
    renameSync(source.at(name), pathOf(tree, step.path))
  } finally {
    source.close()
  }
}

/** Makes a directory, in place of whatever else stands there. */
export function putDirectory(tree: HostTree, { path, live, wanted }: Step): void {
  const place = pathOf(tree, path)
  if (live.kind !== 'absent') unlinkSync(place)
  mkdirSync(place, { mode: 0o700 })
  const descriptor = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    const mine = fstatSync(descriptor)
    const { uid = mine.uid, gid = mine.gid, mode = DIRECTORY_MODE } = wanted ?? {}
    if (uid !== mine.uid || gid !== mine.gid) fchownSync(descriptor, uid, gid)
    fchmodSync(descriptor, mode)
  } finally {
    closeSync(descriptor)
  }
}

/** Changes the planned ones of mode, owner and group in place; the content is not touched. */
export function putAttributes(tree: HostTree, { path, live, wanted, change }: Step): void {
  if (!('status' in live) || !wanted) return
  const place = pathOf(tree, path)
  const planned = new Set(change.attributes.map((attribute) => attribute.path))
  const uid = planned.has('owner') && wanted.uid !== undefined ? wanted.uid : live.status.uid
  const gid = planned.has('group') && wanted.gid !== undefined ? wanted.gid : live.status.gid
  const mode = planned.has('mode') && wanted.mode !== undefined ? wanted.mode : live.status.mode
  const changesOwner = uid !== live.status.uid || gid !== live.status.gid
  if (live.kind === 'symlink') return lchownSync(place, uid, gid)
  const descriptor = openForAttributes(place)
  if (descriptor === null) {
    // The owner of a file that he may not read himself: a process with less than root's powers, so the window between
    // look and change gives nothing away.
    if (changesOwner) lchownSync(place, uid, gid)
    if (!lstatSync(place).isSymbolicLink()) chmodSync(place, mode)
    return
  }
  try {
    if (changesOwner) fchownSync(descriptor, uid, gid)
    fchmodSync(descriptor, mode) // Also after a change of owner alone, which clears set-user-ID bits.
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Removes one planned entry; a directory only when it is empty. */
export function remove(tree: HostTree, { path, live }: Step): void {
  const place = path === '' ? tree.root : pathOf(tree, path)
  if (live.kind === 'directory') rmdirSync(place)
  else unlinkSync(place)
}

/** Makes renames and removals in a directory durable. */
export function syncDirectory(tree: HostTree, directory: string): void {
  const place = tree.directory(directory)
  if (place.kind !== 'open') return
  try {
    fsyncSync(place.directory)
  } catch (error) {
    if (errorCode(error) !== 'EINVAL') throw error // File systems without it (some network ones) say EINVAL.
  }
}

function pathOf(tree: HostTree, relative: string): string {
  const place = tree.locate(relative)
  if (place.kind === 'open') return place.path
  const code = place.kind === 'missing' ? 'ENOENT' : 'ENOTDIR'
  throw Object.assign(new Error(`${relative}: ${place.kind}`), { code })
}

function openForAttributes(place: string): number | null {
  try {
    return openSync(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (errorCode(error) === 'EACCES') return null
    throw error
  }
}
