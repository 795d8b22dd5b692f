import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  openSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { posix } from 'node:path'
import type { Step } from '../plan/compare.ts'
import { eachChunk } from '../host/content.ts'
import { errorCode, type HostTree } from '../host/host-tree.ts'
import type { OwnNames } from '../host/inventory.ts'
import type { WantedFile, WantedLink } from '../source/source.ts'

/** New content beside the place it will take, complete and on disk. */
export interface StagedEntry {
  step: Step
  /** Directory below the target that holds it: the nearest one that exists. */
  directory: string
  name: string
}

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

/**
 * Writes the new content of a step under a temporary name, with its final mode and owner, and syncs it: what is renamed
 * into place later is whole. Directories that do not exist yet are not made; the file waits in the nearest one that does,
 * on the same file system. Throws system errors and leaves nothing behind then.
 */
export function stage(tree: HostTree, step: Step, names: OwnNames, final: FinalAttributes): StagedEntry {
  const directory = nearestDirectory(tree, parentOf(step.path))
  const name = names.temporary(randomBytes(8).toString('hex'))
  const place = tree.directory(directory)
  if (place.kind !== 'open') throw vanished(directory)
  const path = `${place.path.replace(/\/\.$/, '')}/${name}`
  try {
    if (step.wanted?.kind === 'symlink') stageLink(path, step.wanted, final)
    else if (step.wanted?.kind === 'file') stageFile(path, step.wanted, final)
  } catch (error) {
    unlinkQuietly(path)
    throw error
  }
  return { step, directory, name }
}

/** What the entry will have; undefined: what the file system gives. */
export interface FinalAttributes {
  mode: number
  uid?: number
  gid?: number
}

/** An existing file keeps the owner that nothing speaks of, and whatever an ignore rule takes out of our hands. */
export function finalAttributes(
  { wanted, live, change }: Step,
  ignored: (address: string, attribute: string) => boolean,
): FinalAttributes {
  const wantedMode = wanted?.mode ?? 0o644
  if (live.kind !== wanted?.kind || !('status' in live)) return { mode: wantedMode, uid: wanted?.uid, gid: wanted?.gid }
  const { mode, uid, gid } = live.status
  return {
    mode: ignored(change.address, 'mode') ? mode : wantedMode,
    uid: wanted?.uid === undefined || ignored(change.address, 'owner') ? uid : wanted.uid,
    gid: wanted?.gid === undefined || ignored(change.address, 'group') ? gid : wanted.gid,
  }
}

/** Removes a staged entry that is not wanted any more. */
export function unstage(tree: HostTree, { directory, name }: StagedEntry): void {
  const place = tree.locate(directory === '' ? name : `${directory}/${name}`)
  if (place.kind === 'open') unlinkQuietly(place.path)
}

/** Removes what a killed apply of this stack left in a directory; returns how many. */
export function removeLeftovers(tree: HostTree, directory: string, names: OwnNames): number {
  const place = tree.directory(directory)
  if (place.kind !== 'open') return 0
  const left = readdirSync(place.path).filter((name) => names.isTemporary(name))
  for (const name of left) unlinkQuietly(`${place.path}/${name}`)
  return left.length
}

export const parentOf = (path: string): string => (path.includes('/') ? posix.dirname(path) : '')

function nearestDirectory(tree: HostTree, directory: string): string {
  let nearest = directory
  while (nearest !== '' && tree.directory(nearest).kind !== 'open') nearest = parentOf(nearest)
  return nearest
}

function stageFile(path: string, wanted: WantedFile, final: FinalAttributes): void {
  const descriptor = openSync(path, CREATE, 0o600)
  try {
    if (wanted.rendered) writeAll(descriptor, wanted.rendered)
    else copyInto(descriptor, wanted.origin)
    const mine = fstatSync(descriptor)
    const { uid = mine.uid, gid = mine.gid, mode } = final
    // Before the mode: changing the owner takes set-user-ID bits away.
    if (uid !== mine.uid || gid !== mine.gid) fchownSync(descriptor, uid, gid)
    fchmodSync(descriptor, mode)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function stageLink(path: string, wanted: WantedLink, final: FinalAttributes): void {
  symlinkSync(wanted.target, path)
  const mine = lstatSync(path)
  const { uid = mine.uid, gid = mine.gid } = final
  if (uid !== mine.uid || gid !== mine.gid) lchownSync(path, uid, gid)
}

function copyInto(descriptor: number, origin: string): void {
  const from = openSync(origin, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    eachChunk(from, (chunk) => writeAll(descriptor, chunk))
  } finally {
    closeSync(from)
  }
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
}

const vanished = (directory: string): Error => Object.assign(new Error(`${directory} has vanished`), { code: 'ENOENT' })
