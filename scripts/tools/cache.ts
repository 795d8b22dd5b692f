import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Where tools stay that took long to make, beside all checkouts: a fresh clone on the same machine does not make them
 * again. `TRUEUP_TOOLS_CACHE` puts it elsewhere; removing it costs only time.
 */
export const toolsCache =
  process.env.TRUEUP_TOOLS_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'trueup', 'tools')

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
