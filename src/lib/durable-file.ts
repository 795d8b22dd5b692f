import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What a write that a crash cut short leaves beside its file: `NAME.new`. It was never acknowledged. */
export const UNFINISHED = '.new'

/**
 * Writes a file whole or not at all: on the disk when the promise resolves, never half there after a crash. One writer
 * per path at a time.
 */
export async function writeDurably(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const fresh = `${path}${UNFINISHED}`
  const file = await open(fresh, 'w', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(fresh, path)
  await syncDirectory(dirname(path))
}

/** Removes a file, if it is there, so that it does not come back after a crash. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true })
  await syncDirectory(dirname(path))
}

/** Makes names in a directory (new, renamed, removed files) durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
