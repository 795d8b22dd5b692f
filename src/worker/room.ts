import { statfsSync } from 'node:fs'
import { asTrueupError, TrueupError } from '../lib/errors/error.ts'
import { tellsOfNoRoom } from '../lib/errors/no-room.ts'

/** With less nothing can be written down, and what fails does so with whatever reason comes to its mind. */
const LEAST_BYTES = 256 * 1024

/** The file systems that a runner writes to. */
export interface Room {
  /** What is full, in words; null where there is room. */
  missing(): string | null
  /** The same error, or NO_ROOM where that is what is behind it: a tool on a full disk says that it is not installed. */
  behind(thrown: unknown, doing: string): TrueupError
}

export function watchRoom(directories: readonly string[]): Room {
  const missing = (): string | null => {
    for (const directory of directories) {
      const free = freeIn(directory)
      if (free !== null && free.bytes < LEAST_BYTES) return `there is no room left in ${directory}`
      if (free !== null && free.files === 0) return `there is no room for one more file in ${directory}`
    }
    return null
  }
  return {
    missing,
    behind(thrown, doing) {
      const error = asTrueupError(thrown, doing)
      const full = missing()
      // What is full on a host that is managed is said by codes of its own, and room here changes nothing about it.
      if (error.code === 'NO_ROOM' || error.code === 'CANCELED' || error.code.startsWith('TARGET_')) return error
      if (full === null && !tellsOfNoRoom(thrown)) return error
      const said = `${error.text.doing}: ${error.text.why}`
      const why = full === null ? said : `${full}. ${said}`
      return new TrueupError('NO_ROOM', { doing, why, cause: thrown })
    },
  }
}

/** Null where the file system does not say: some have neither a size nor a number of files. */
function freeIn(directory: string): { bytes: number; files: number | null } | null {
  try {
    const { bavail, bsize, blocks, ffree, files } = statfsSync(directory)
    return blocks === 0 ? null : { bytes: bavail * bsize, files: files === 0 ? null : ffree }
  } catch {
    return null
  }
}
