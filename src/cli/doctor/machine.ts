import { constants, readFileSync, statfsSync } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Check } from './check.ts'

const TMPFS_MAGIC = 0x01021994
const GIB = 1024 ** 3
/** A watched tree costs one inotify watch per directory. */
const ENOUGH_WATCHES = 65_536

/** Workspaces in memory are a hundred times faster than on a disk. */
export function checkTmpfs(): Check {
  try {
    const { type, bavail, bsize } = statfsSync('/dev/shm')
    const free = bavail * bsize
    const finding = `/dev/shm has ${(free / GIB).toFixed(1)} GiB free`
    if (type === TMPFS_MAGIC && free >= GIB) return { name: 'tmpfs', state: 'ok', finding }
    return { name: 'tmpfs', state: 'warning', finding, next: 'Give it at least 1 GiB, or runs work on the disk' }
  } catch {
    return { name: 'tmpfs', state: 'note', finding: 'no /dev/shm: runs work on the disk' }
  }
}

export function checkInotify(): Check {
  try {
    const watches = Number(readFileSync('/proc/sys/fs/inotify/max_user_watches', 'utf8'))
    const finding = `${watches} watches per user`
    if (watches >= ENOUGH_WATCHES) return { name: 'inotify', state: 'ok', finding }
    const next = `Raise fs.inotify.max_user_watches to ${ENOUGH_WATCHES} where large trees are watched`
    return { name: 'inotify', state: 'warning', finding, next }
  } catch {
    return { name: 'inotify', state: 'note', finding: 'not Linux: live events come from what the system has' }
  }
}

/** The data directory, or where it would be made. */
export async function checkData(dataDir: string): Promise<Check> {
  for (let at = dataDir; ; at = dirname(at)) {
    const found = await stat(at).catch(() => null)
    if (!found && at !== dirname(at)) continue
    const writable = await access(at, constants.W_OK).then(
      () => true,
      () => false,
    )
    const { bavail, bsize } = statfsSync(at)
    const free = `${((bavail * bsize) / GIB).toFixed(1)} GiB free`
    const finding = at === dataDir ? `${dataDir}, ${free}` : `${dataDir} does not exist yet, ${free}`
    if (!writable)
      return { name: 'data', state: 'error', finding: `${at} is not writable`, next: 'Choose another with --data' }
    if (bavail * bsize < GIB) return { name: 'data', state: 'warning', finding, next: 'Free some space' }
    if (at === dataDir && (found!.mode & 0o077) !== 0) {
      return {
        name: 'data',
        state: 'warning',
        finding: `${dataDir} is readable by others`,
        next: `chmod 700 ${dataDir}`,
      }
    }
    return { name: 'data', state: 'ok', finding }
  }
}
