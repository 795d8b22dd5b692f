import { pack, type Header, type Pack } from 'tar-stream'
import { TrueupError } from '../../lib/errors/error.ts'
import type { GitObject, ObjectReader } from '../objects.ts'
import { checkOid } from '../names.ts'
import { decodePath } from '../paths.ts'
import type { WorkspaceLimits } from '../repository.ts'
import { createTreeReader } from '../trees.ts'
import { keptLinks, refuseEscapingLinks } from './links.ts'
import { planWorkspace, type PlannedFile } from './plan.ts'

/** Contents held at once while the tar is written. */
const BATCH_BYTES = 8 * 1024 * 1024
const BATCH_FILES = 500
const MAX_LINK_BYTES = 4096
/** Equal workspaces give equal tars. */
const TIME = new Date(0)

/** Fills the tar: directories, submodules (as empty directories), files, symlinks last. */
export async function fillArchive(
  tar: Pack,
  objects: ObjectReader,
  commit: string,
  paths: readonly string[],
  limits: WorkspaceLimits,
): Promise<void> {
  const doing = `packing a workspace of commit ${commit}`
  const plan = await planWorkspace(createTreeReader(objects), checkOid(commit, doing), paths, limits)
  const links = await readLinks(objects, plan.links, doing)
  const kept = limits.keepLinks ? keptLinks(links, doing) : new Map<string, string>()
  if (!limits.keepLinks) refuseEscapingLinks(links, doing)
  const sizes = await objects.info(plan.files.map((file) => file.oid))
  const total = sizes.reduce((sum, info) => sum + (info?.size ?? 0), 0)
  if (total > limits.maxBytes) {
    throw new TrueupError('WORKSPACE_LIMIT', {
      doing,
      why: `it has ${total} bytes, and ${limits.maxBytes} are allowed`,
    })
  }
  for (const path of plan.directories) if (path !== '') await add(tar, { name: path, type: 'directory' })
  for (const path of plan.submodules) await add(tar, { name: path, type: 'directory', uname: SUBMODULE })
  for (const batch of batches(plan.files, (index) => sizes[index]?.size ?? 0)) {
    const contents = await objects.read(
      batch.map((file) => file.oid),
      limits.maxBytes,
    )
    for (const [index, { path, mode }] of batch.entries()) {
      const content = contentOf(contents[index]!, path)
      await add(tar, { name: path, type: 'file', mode: mode === '100755' ? 0o755 : 0o644 }, content)
    }
  }
  for (const [path, target] of links) {
    await add(tar, { name: path, type: 'symlink', linkname: target, ...(kept.has(path) && { uname: KEPT }) })
  }
  tar.finalize()
}

/** Owner name that marks the empty directory of a submodule, so that the other side can report it. */
export const SUBMODULE = 'submodule'

/** Owner name that marks a symlink that leads out and is only to be told. */
export const KEPT = 'kept-link'

export const newTar = (): Pack => pack()

async function readLinks(objects: ObjectReader, links: PlannedFile[], doing: string): Promise<Map<string, string>> {
  const contents = await objects.read(
    links.map((link) => link.oid),
    MAX_LINK_BYTES,
  )
  const targets = new Map<string, string>()
  for (const [index, { path }] of links.entries()) {
    const object = contents[index]!
    if (!object.found && object.reason === 'too-large') {
      throw new TrueupError('PATH_OUTSIDE', {
        doing,
        why: `the target of the symlink ${path} is no path`,
        details: { path },
      })
    }
    targets.set(path, decodePath(contentOf(object, path)))
  }
  return targets
}

function contentOf(object: GitObject, path: string): Buffer {
  if (object.found) return object.content
  throw new TrueupError('GIT_OBJECT_MISSING', {
    doing: `reading ${path}`,
    why: 'its content is not in the repository',
    next: 'Check the repository with `git fsck` and restore it from a backup.',
  })
}

function* batches(files: PlannedFile[], sizeOf: (index: number) => number): Generator<PlannedFile[]> {
  let batch: PlannedFile[] = []
  let bytes = 0
  for (const [index, file] of files.entries()) {
    const size = sizeOf(index)
    if (batch.length > 0 && (bytes + size > BATCH_BYTES || batch.length >= BATCH_FILES)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(file)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** Resolves when the reader of the tar has taken the entry, so that no more than a batch is held. */
async function add(tar: Pack, header: Partial<Header> & Pick<Header, 'name'>, content?: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error ? reject(error) : resolve())
    if (content) tar.entry({ ...header, mtime: TIME }, content, done)
    else tar.entry({ ...header, mtime: TIME }, done)
  })
}
