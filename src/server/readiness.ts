import { statfs } from 'node:fs/promises'
import { asTrueupError } from '../lib/errors/error.ts'
import type { Store } from '../store/open.ts'
import { setMeta } from '../store/database/meta.ts'

/** A probe comes every second from each of several sides; one write in this time is enough. Milliseconds. */
const EVERY_MS = 5_000
/** The database still finds a page when pushes and logs find no room any more. */
const LEAST_BYTES = 1024 * 1024

/**
 * Why nothing can be written down, in words for whoever is asked by a probe; null where all is well. A server that can
 * only read accepts pushes it cannot record. `directory`: any on the disk of the data.
 */
export function createReadiness(store: Store, directory: string): () => Promise<string | null> {
  let known: { at: number; why: Promise<string | null> } | null = null
  const look = async (): Promise<string | null> => {
    try {
      await store.transaction((tx) => setMeta(tx, 'readiness', String(Date.now())))
      const { blocks, bavail, bsize } = await statfs(directory)
      return blocks > 0 && bavail * bsize < LEAST_BYTES ? NO_ROOM : null
    } catch (thrown) {
      return asTrueupError(thrown, 'writing').code === 'NO_ROOM' ? NO_ROOM : 'the database takes no writes'
    }
  }
  return () => {
    if (known === null || performance.now() - known.at > EVERY_MS) known = { at: performance.now(), why: look() }
    return known.why
  }
}

const NO_ROOM = 'there is no room on the disk of the data directory'
