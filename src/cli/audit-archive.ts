import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { AuditCheckpointFile } from '../domain/audit-archive.ts'
import { isAuditPlace, parseAuditPlace } from '../domain/audit-place.ts'
import { TrueupError } from '../lib/errors/error.ts'
import { readFrom } from '../server/checkpoints/places.ts'
import { AuditArchives } from '../server/schemas/operations.ts'
import { readRows } from '../store/audit/archive-file.ts'
import { type ExportVerdict, verifyExport } from '../store/audit/verify-export.ts'
import { verifySent } from '../store/audit/verify-sent.ts'
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
  if (isAuditPlace(files.checkpoint)) return await verifyPlace(cli, command, files)
  const path = resolve(cli.cwd, files.checkpoint)
  const checkpoint = await readCheckpoint(path)
  const key = await keyOf(cli, command, files)
  const rows =
    files.export === undefined ? join(dirname(path), checkpoint.archive.file) : resolve(cli.cwd, files.export)
  return await verifyExport(readRows(rows), checkpoint, verifier(key, files.key ?? 'the key of the server'), files.kept)
}

/** Against what was sent to a place: the events are those of an export, or fetched from the server and recomputed here. */
async function verifyPlace(cli: Cli, command: Command, files: ArchiveFiles): Promise<ExportVerdict> {
  const sent = await readFrom(parseAuditPlace(files.checkpoint))
  const keys = verifier(await keyOf(cli, command, files), files.key ?? 'the key of the server')
  if (files.kept)
    throw new TrueupError('INVALID_REQUEST', {
      doing: 'verifying the audit trail',
      why: '--kept goes with one chain, and a place has many heads',
      next: 'Leave one of both out.',
    })
  if (files.export !== undefined) return await verifySent(readRows(resolve(cli.cwd, files.export)), sent, keys)
  const directory = await mkdtemp(join(tmpdir(), 'trueup-audit-'))
  try {
    const file = join(directory, 'audit.jsonl')
    const { body } = await cli.client(command).open('/api/v1/audit/export', { query: { from: 1 } })
    await pipeline(Readable.fromWeb(body as never), createWriteStream(file, { mode: 0o600 }))
    return await verifySent(readRows(file), sent, keys)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const keyOf = async (cli: Cli, command: Command, { key }: ArchiveFiles): Promise<string> =>
  key === undefined
    ? (await cli.client(command).get('/api/v1/audit/archives', AuditArchives)).publicKey
    : await readText(resolve(cli.cwd, key))

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
