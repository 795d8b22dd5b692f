import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { pack, type Pack } from 'tar-stream'
import { type BackupResult, backupStore } from '../store/backup/backup.ts'
import { BackupManifest, MANIFEST_FILE } from '../store/backup/manifest.ts'
import { readOptional } from './files.ts'

const STAGING = 'backups.partial'

/** A consistent copy of the whole data directory as a tar stream; its copy on disk goes when the stream is over. */
export type MakeBackup = () => Promise<{ stream: Pack } & Omit<BackupResult, 'target'>>

/** Backups of `dataDir`, one after the other: each needs the space of the data once more. */
export function createBackups(dataDir: string, database?: string): MakeBackup {
  let last: Promise<unknown> = Promise.resolve()
  return () => {
    const made = last.then(() => makeBackup(dataDir, database))
    last = made.catch(() => undefined)
    return made
  }
}

/** Removes what a crash left. */
export const clearBackups = (dataDir: string): Promise<void> =>
  rm(join(dataDir, STAGING), { recursive: true, force: true })

async function makeBackup(dataDir: string, database: string | undefined) {
  await mkdir(join(dataDir, STAGING), { recursive: true, mode: 0o700 })
  const staging = await mkdtemp(join(dataDir, STAGING, 'backup-'))
  // What cannot be removed now goes at the next start; see `clearBackups`.
  const remove = (): Promise<void> => rm(staging, { recursive: true, force: true }).catch(() => {})
  try {
    const target = join(staging, 'copy')
    const { files, bytes, damaged } = await backupStore(dataDir, target, { database })
    const stream = pack()
    // The manifest goes last: a tar that was cut off has none, and a restore refuses it.
    void fill(stream, target)
      .catch((error: Error) => stream.destroy(error))
      .then(remove)
    return { stream, bytes, files, damaged }
  } catch (error) {
    await remove()
    throw error
  }
}

async function fill(tar: Pack, directory: string): Promise<void> {
  const manifestText = (await readOptional(join(directory, MANIFEST_FILE))) ?? ''
  const manifest = BackupManifest.parse(JSON.parse(manifestText))
  for (const name of manifest.directories) tar.entry({ name, type: 'directory', mode: 0o700 })
  for (const { path, mode } of manifest.files) {
    const { size } = await stat(join(directory, path))
    await pipeline(createReadStream(join(directory, path)), tar.entry({ name: path, size, mode }))
  }
  tar.entry({ name: MANIFEST_FILE, mode: 0o600 }, manifestText)
  tar.finalize()
}
