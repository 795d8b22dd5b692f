import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toolsCache } from '../../test/tools.ts'

/** Whether it was made already: what is there costs nothing to provide. */
export const isMade = (name: string): boolean => existsSync(join(toolsCache, name))

/**
 * The directory of something that is made once, by `make` into an empty directory. It appears under its name only when it is
 * complete, so an interrupted build leaves nothing that looks finished. Throws what `make` throws.
 */
export function madeOnce(name: string, make: (directory: string) => void): string {
  const place = join(toolsCache, name)
  if (existsSync(place)) return place
  mkdirSync(dirname(place), { recursive: true })
  const arriving = mkdtempSync(`${place}.arriving-`)
  try {
    make(arriving)
    if (!existsSync(place)) renameSync(arriving, place)
  } finally {
    rmSync(arriving, { recursive: true, force: true })
  }
  return place
}
