import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { AuditCheckpointFile } from '../domain/audit-archive.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { AuditArchives } from '../server/schemas/operations.ts'
import { readRows } from '../store/audit/archive-file.ts'
import { type ExportVerdict, verifyExport } from '../store/audit/verify-export.ts'
import { type DataKeys, verifierOf } from '../store/database/keys.ts'
import type { Cli } from './cli.ts'

/** Files by which events that left the database are proved. */
export interface ArchiveFiles {
  checkpoint: string
  /** The archive that the checkpoint names, in the same directory, where absent. */
  export?: string
  /** Public key in PEM; the server's where absent. */
  key?: string
  kept?: { seq: number; hash: string }
}

/** Verifies an archive, or an export of the same events, on this machine. Of the server nothing but its public key is asked. */
export async function verifyArchive(cli: Cli, command: Command, files: ArchiveFiles): Promise<ExportVerdict> {
  const path = resolve(cli.cwd, files.checkpoint)
  const checkpoint = await readCheckpoint(path)
  const key =
    files.key === undefined
      ? (await cli.client(command).get('/api/v1/audit/archives', AuditArchives)).publicKey
      : await readText(resolve(cli.cwd, files.key))
  const rows =
    files.export === undefined ? join(dirname(path), checkpoint.archive.file) : resolve(cli.cwd, files.export)
  return await verifyExport(readRows(rows), checkpoint, verifier(key, files.key ?? 'the key of the server'), files.kept)
}

async function readCheckpoint(path: string): Promise<AuditCheckpointFile> {
  const text = await readText(path)
  try {
    return AuditCheckpointFile.parse(JSON.parse(text))
  } catch (cause) {
    throw new TrueupError('INVALID_REQUEST', {
      doing: `reading the checkpoint ${path}`,
      why: 'it is not a checkpoint of archived audit events',
      next: 'Name the file that ends with .checkpoint.json, beside the archive.',
      cause,
    })
  }
}

function verifier(key: string, name: string): Pick<DataKeys, 'verify'> {
  try {
    return { verify: verifierOf(key) }
  } catch (cause) {
    const next = 'Use what `trueup audit key` printed.'
    throw new TrueupError('INVALID_REQUEST', {
      doing: `reading ${name}`,
      why: 'it is no public key in PEM',
      next,
      cause,
    })
  }
}

const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === 'ENOENT' ? 'there is no such file' : cause.message
    throw new TrueupError('NOT_FOUND', { doing: `reading ${path}`, why, next: 'Name an existing file.', cause })
  })
