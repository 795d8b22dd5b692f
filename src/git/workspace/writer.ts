import { closeSync, lstatSync, mkdirSync, openSync, readdirSync, rmSync, symlinkSync, writeSync } from 'node:fs'
import { TrueupError } from '../../lib/errors/error.ts'
import { tellsOfNoRoom } from '../../lib/errors/no-room.ts'
import { encodePath, isSafeName } from '../paths.ts'
import type { Materialised, WorkspaceLimits } from '../repository.ts'
import { assertTarget, keptLinks, refuseEscapingLinks } from './links.ts'

/**
 * Writes a workspace into a directory of its own. Nothing is ever written through a symlink: they are made last, and only
 * after all of them were found to stay inside. What exists already is refused, so that neither a name given twice nor
 * two names that a case-insensitive disk takes for one can replace a file.
 */
export interface WorkspaceWriter {
  directory(path: string): void
  file(path: string, content: Buffer, executable: boolean): void
  link(path: string, target: string): void
  /** A symlink that leads out: told in the result, and never made. */
  keptLink(path: string, target: string): void
  submodule(path: string): void
  /** Makes the symlinks. */
  finish(): Materialised
  /** Removes everything. */
  abandon(): void
}

export function createWorkspaceWriter(directory: string, limits: WorkspaceLimits): WorkspaceWriter {
  const doing = `writing the workspace ${directory}`
  const existed = prepareDirectory(directory, doing)
  const made = new Set<string>([''])
  const links = new Map<string, string>()
  const kept = new Map<string, string>()
  const result = { files: 0, bytes: 0, submodules: [] as string[] }

  const onDisk = (path: string): string | Buffer =>
    path.includes('\ufffd') ? Buffer.concat([Buffer.from(`${directory}/`), encodePath(path)]) : `${directory}/${path}`
  const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  const attempt = <T>(path: string, act: () => T): T => {
    try {
      return act()
    } catch (error) {
      throw explained(error as NodeJS.ErrnoException, path, doing)
    }
  }
  const makeDirectory = (path: string): void => {
    if (made.has(path)) return
    checkPath(path, limits, doing)
    makeDirectory(parentOf(path))
    attempt(path, () => mkdirSync(onDisk(path)))
    made.add(path)
  }
  const count = (path: string, bytes: number): void => {
    result.bytes += bytes
    if (result.files + links.size + kept.size >= limits.maxFiles)
      throw limit(doing, `it has more than ${limits.maxFiles} files`, path)
    if (result.bytes > limits.maxBytes) throw limit(doing, `it has more than ${limits.maxBytes} bytes`, path)
  }
  return {
    directory: makeDirectory,
    file(path, content, executable) {
      checkPath(path, limits, doing)
      makeDirectory(parentOf(path))
      count(path, content.length)
      attempt(path, () => {
        const file = openSync(onDisk(path), 'wx', executable ? 0o755 : 0o644)
        try {
          for (let at = 0; at < content.length; ) at += writeSync(file, content, at)
        } finally {
          closeSync(file)
        }
      })
      result.files++
    },
    link(path, target) {
      checkPath(path, limits, doing)
      makeDirectory(parentOf(path))
      count(path, 0)
      if (links.has(path) || kept.has(path)) throw twice(path, doing)
      links.set(path, target)
    },
    keptLink(path, target) {
      checkPath(path, limits, doing)
      makeDirectory(parentOf(path))
      count(path, 0)
      if (links.has(path) || kept.has(path)) throw twice(path, doing)
      assertTarget(path, target, doing)
      kept.set(path, target)
    },
    submodule(path) {
      makeDirectory(path)
      result.submodules.push(path)
    },
    finish() {
      if (!limits.keepLinks) refuseEscapingLinks(links, doing)
      for (const [path, target] of limits.keepLinks ? keptLinks(links, doing) : []) {
        links.delete(path)
        kept.set(path, target)
      }
      for (const [path, target] of links) attempt(path, () => symlinkSync(encodePath(target), onDisk(path)))
      for (const path of kept.keys()) if (lstatSync(onDisk(path), { throwIfNoEntry: false })) throw twice(path, doing)
      return { ...result, symlinks: links.size, keptLinks: [...kept] }
    },
    abandon() {
      if (!existed) rmSync(directory, { recursive: true, force: true })
      else for (const name of readdirSync(directory)) rmSync(`${directory}/${name}`, { recursive: true, force: true })
    },
  }
}

/** @returns whether the directory was there, empty, before */
function prepareDirectory(directory: string, doing: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 })
    return false
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explained(error as NodeJS.ErrnoException, '', doing)
  }
  if (readdirSync(directory).length === 0) return true
  throw new TrueupError('CONFLICT', { doing, why: 'the directory is not empty', next: 'Use a new directory.' })
}

function checkPath(path: string, limits: WorkspaceLimits, doing: string): void {
  const components = path.split('/')
  if (components.length > limits.maxDepth) throw limit(doing, `it is deeper than ${limits.maxDepth} directories`, path)
  if (components.every(isSafeName)) return
  throw new TrueupError('PATH_OUTSIDE', {
    doing,
    why: `the name ${JSON.stringify(path)} is not one inside the workspace`,
    next: 'Remove this name from the repository.',
    details: { path },
  })
}

function limit(doing: string, why: string, path: string): TrueupError {
  return new TrueupError('WORKSPACE_LIMIT', { doing, why: `${why} (at ${path})`, details: { path } })
}

function twice(path: string, doing: string): TrueupError {
  return new TrueupError('SOURCE_INVALID', {
    doing,
    why: `${path} is there twice, or differs from another name only in upper and lower case`,
    next: 'Rename one of them in the repository.',
  })
}

function explained(error: NodeJS.ErrnoException, path: string, doing: string): TrueupError {
  if (error.code === 'EEXIST' || error.code === 'ENOTDIR') return twice(path, doing)
  if (error.code === 'ENAMETOOLONG') return limit(doing, 'a name is longer than the disk allows', path)
  if (tellsOfNoRoom(error)) return new TrueupError('NO_ROOM', { doing, why: `${path}: ${error.message}`, cause: error })
  return new TrueupError('DATA_UNWRITABLE', {
    doing,
    why: `${path}: ${error.message}`,
    next: 'Make the workspace directory writable and free space on its disk.',
    cause: error,
  })
}
