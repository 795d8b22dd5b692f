import { Transform, type Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract as untar, type Header } from 'tar-stream'
import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import type { Materialised, WorkspaceLimits } from '../repository.ts'
import { KEPT, SUBMODULE } from './archive.ts'
import { createWorkspaceWriter, type WorkspaceWriter } from './writer.ts'

/** Two empty blocks end a tar; without them it was cut off, perhaps between two files. */
const END_BYTES = 1024

export async function extractArchive(
  stream: NodeJS.ReadableStream,
  directory: string,
  limits: WorkspaceLimits,
): Promise<Materialised> {
  const doing = `unpacking the workspace ${directory}`
  const writer = createWorkspaceWriter(directory, limits)
  try {
    const tar = untar()
    const end = watchEnd()
    const piped = pipeline(stream as Readable, end.stream, tar as unknown as Writable)
    // Its error is thrown below, after the loop that sees it first.
    piped.catch(() => {})
    for await (const entry of tar) await write(writer, entry as unknown as TarEntry, limits, doing)
    await piped
    if (!end.seen()) throw cutOff(doing)
    return writer.finish()
  } catch (error) {
    writer.abandon()
    throw isStreamError(error) ? cutOff(doing, error) : asTrueupError(error, doing)
  }
}

type TarEntry = AsyncIterable<Buffer> & { header: Header }

async function write(writer: WorkspaceWriter, entry: TarEntry, limits: WorkspaceLimits, doing: string): Promise<void> {
  const { type, size, mode, linkname, uname } = entry.header
  const name = entry.header.name.replace(/\/$/, '')
  if (type === 'file' && size > limits.maxBytes) {
    throw new TrueupError('WORKSPACE_LIMIT', {
      doing,
      why: `${name} has ${size} bytes, and ${limits.maxBytes} are allowed`,
    })
  }
  const chunks: Buffer[] = []
  for await (const chunk of entry) chunks.push(chunk)
  if (type === 'file') writer.file(name, Buffer.concat(chunks), (mode & 0o100) !== 0)
  else if (type === 'symlink' && uname === KEPT) writer.keptLink(name, linkname ?? '')
  else if (type === 'symlink') writer.link(name, linkname ?? '')
  else if (type === 'directory' && uname === SUBMODULE) writer.submodule(name)
  else if (type === 'directory') writer.directory(name)
  else
    throw new TrueupError('PATH_OUTSIDE', {
      doing,
      why: `${name} is a ${type}, which a workspace never holds`,
    })
}

function watchEnd(): { stream: Transform; seen: () => boolean } {
  let zeros = 0
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let at = chunk.length
      while (at > 0 && chunk[at - 1] === 0 && chunk.length - at < END_BYTES) at--
      zeros = at === 0 ? zeros + chunk.length : chunk.length - at
      done(null, chunk)
    },
  })
  return { stream, seen: () => zeros >= END_BYTES }
}

const isStreamError = (error: unknown): boolean => !(error instanceof TrueupError) && error instanceof Error

function cutOff(doing: string, cause?: unknown): TrueupError {
  const why = cause instanceof Error ? `the archive is not whole: ${cause.message}` : 'the archive is not whole'
  return new TrueupError('UNAVAILABLE', { doing, why, next: 'Fetch the workspace again.', cause })
}
