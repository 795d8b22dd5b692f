import { createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar-stream'
import { syncDirectory } from '../lib/durable-file.ts'
import { TrueupError } from '../lib/errors/error.ts'
import type { BackupResult } from '../store/backup/backup.ts'
import { BackupManifest, MANIFEST_FILE } from '../store/backup/manifest.ts'
import type { Client } from './client.ts'

/**
 * Unpacks the server's backup stream into a new directory, which appears under its name only when it is whole. What the
 * files are is checked by `trueup restore`, against the manifest that comes last.
 */
export async function downloadBackup(client: Client, target: string): Promise<Omit<BackupResult, 'target'>> {
  const doing = `fetching a backup of ${client.connection.url} into ${target}`
  const staging = `${target}.partial`
  const response = await client.download('POST', '/api/v1/server/backup')
  await mkdir(dirname(target), { recursive: true })
  await mkdir(staging, { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    throw new TrueupError('CONFLICT', {
      doing,
      why:
        cause.code === 'EEXIST'
          ? `${staging} exists: an earlier backup was interrupted, or one is running`
          : cause.message,
      next: 'Remove it, or name another directory.',
      cause,
    })
  })
  try {
    const sum = { files: 0, bytes: 0 }
    let last = ''
    // Of a backup that is there every file is there, after a power cut too.
    const directories = new Set([staging])
    const unpack = extract()
    const fed = pipeline(Readable.fromWeb(response.body as never), unpack)
    // What ends it is thrown by the loop first, and here again.
    fed.catch(() => {})
    for await (const entry of unpack) {
      const { name, type, mode } = entry.header
      const file = inside(staging, name, doing)
      for (let at = type === 'directory' ? file : dirname(file); at !== staging; at = dirname(at)) directories.add(at)
      if (type === 'directory') await mkdir(file, { recursive: true, mode: 0o700 })
      else {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 })
        await pipeline(entry, createWriteStream(file, { flags: 'wx', mode: mode ?? 0o600, flush: true }))
        sum.files++
        sum.bytes += entry.header.size ?? 0
        last = name
      }
      entry.resume()
    }
    await fed
    if (last !== MANIFEST_FILE)
      throw new TrueupError('UNAVAILABLE', { doing, why: 'the stream ended before the backup was whole' })
    const { damaged } = BackupManifest.parse(JSON.parse(await readFile(join(staging, MANIFEST_FILE), 'utf8')))
    for (const directory of directories) await syncDirectory(directory)
    await rename(staging, target)
    await syncDirectory(dirname(target))
    return { ...sum, damaged }
  } catch (error) {
    await rm(staging, { recursive: true, force: true })
    if (error instanceof TrueupError || !isCutOff(error)) throw error
    const why = 'the connection ended before the backup was whole'
    throw new TrueupError('UNAVAILABLE', { doing, why, next: 'Fetch it again.', cause: error })
  }
}

/** Errors of streams and connections; those of files have the code of a system call. */
const isCutOff = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof TypeError ||
    /^(ERR_STREAM|UND_ERR|ECONN)|^$/.test(String((error as NodeJS.ErrnoException).code ?? '')))

function inside(directory: string, name: string, doing: string): string {
  const file = resolve(join(directory, name))
  if (file.startsWith(directory + sep)) return file
  throw new TrueupError('PATH_OUTSIDE', { doing, why: `the stream names the file ${JSON.stringify(name)}` })
}
