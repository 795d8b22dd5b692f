import { closeSync, constants, existsSync, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'

/** Where a path's directory is: open, not there, or stopped by something on the way that is no directory. */
export type Place =
  | {
      kind: 'open'
      /** What to hand to `fs` calls for the entry; valid until the next `locate` or `close`. */
      path: string
      /** Descriptor of the directory that holds the entry. */
      directory: number
    }
  | { kind: 'missing' }
  | { kind: 'blocked'; by: string }

/** Linux: a name below an open descriptor, which no rename or symbolic link planted later can lead elsewhere. */
const BY_DESCRIPTOR = process.platform === 'linux' && existsSync('/proc/self/fd')
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/**
 * Paths below one directory of the host, walked component by component without ever following a symbolic link.
 *
 * Holds the descriptors of one chain of directories, so a walk in path order opens each directory once. Node has no
 * `openat`; `/proc/self/fd/N/name` is the same thing. Where there is no /proc (macOS), every component is looked at right
 * before use, which leaves a window of microseconds.
 */
export class HostTree {
  readonly root: string
  readonly #chain: { name: string; descriptor: number }[] = []
  /** The directory that the whole chain leads to; null while it is being changed. */
  #entered: string | null = null

  private constructor(root: string, descriptor: number) {
    this.root = root
    this.#chain.push({ name: '', descriptor })
  }

  /** Opens the root; null where it is not there. Throws what `open` throws (ENOTDIR for a file or symbolic link). */
  static open(root: string): HostTree | null {
    try {
      return new HostTree(root, openSync(root, OPEN_DIRECTORY))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null
      throw error
    }
  }

  /** Where the entry `relative` is or would be; '' is the root itself. */
  locate(relative: string): Place {
    const slash = relative.lastIndexOf('/')
    const place = this.#enter(slash === -1 ? '' : relative.slice(0, slash))
    const name = relative === '' ? '.' : relative.slice(slash + 1)
    return typeof place === 'number' ? { kind: 'open', path: this.#at(place, name), directory: place } : place
  }

  /** The descriptor of a directory; valid until the next call. */
  directory(relative: string): { kind: 'open'; path: string; directory: number } | Exclude<Place, { kind: 'open' }> {
    const place = this.#enter(relative)
    return typeof place === 'number' ? { kind: 'open', path: this.#at(place, '.'), directory: place } : place
  }

  /** A directory held open by itself, beside the chain; the caller closes it. Throws ENOENT or ENOTDIR. */
  open(relative: string): { at(name: string): string; close(): void } {
    const place = this.directory(relative)
    if (place.kind !== 'open') {
      throw Object.assign(new Error(relative), { code: place.kind === 'missing' ? 'ENOENT' : 'ENOTDIR' })
    }
    const descriptor = openSync(place.path, OPEN_DIRECTORY)
    const at = (name: string): string =>
      BY_DESCRIPTOR ? `/proc/self/fd/${descriptor}/${name}` : join(this.root, relative, name)
    return { at, close: () => closeSync(descriptor) }
  }

  /** Forgets the open chain, so that the next call walks from the root again. */
  rewind(): void {
    this.#entered = null
    while (this.#chain.length > 1) closeSync(this.#chain.pop()!.descriptor)
  }

  close(): void {
    this.rewind()
    for (const { descriptor } of this.#chain.splice(0)) closeSync(descriptor)
  }

  /** Makes the open chain the given directories, keeping what they share with it. */
  #enter(directory: string): number | Exclude<Place, { kind: 'open' }> {
    const top = this.#chain.at(-1)
    if (top && directory === this.#entered) return top.descriptor
    this.#entered = null
    const names = directory === '' ? [] : directory.split('/')
    let depth = 0
    while (depth < names.length && this.#chain[depth + 1]?.name === names[depth]) depth++
    while (this.#chain.length > depth + 1) closeSync(this.#chain.pop()!.descriptor)
    for (; depth < names.length; depth++) {
      const name = names[depth]!
      try {
        const path = this.#at(this.#chain[depth]!.descriptor, name)
        this.#chain.push({ name, descriptor: openSync(path, OPEN_DIRECTORY) })
      } catch (error) {
        const code = errorCode(error)
        if (code === 'ENOENT') return { kind: 'missing' }
        // A symbolic link opened with O_DIRECTORY | O_NOFOLLOW is ENOTDIR on Linux and ELOOP elsewhere.
        if (code === 'ENOTDIR' || code === 'ELOOP') return { kind: 'blocked', by: names.slice(0, depth + 1).join('/') }
        throw error
      }
    }
    this.#entered = directory
    return this.#chain.at(-1)!.descriptor
  }

  #at(descriptor: number, name: string): string {
    if (BY_DESCRIPTOR) return `/proc/self/fd/${descriptor}/${name}`
    const depth = this.#chain.findIndex((link) => link.descriptor === descriptor)
    const names = this.#chain.slice(1, depth + 1).map((link) => link.name)
    for (let i = 1; i <= names.length; i++) {
      const component = join(this.root, ...names.slice(0, i))
      if (!lstatSync(component).isDirectory()) throw Object.assign(new Error(component), { code: 'ENOTDIR' })
    }
    return join(this.root, ...names, name)
  }
}

/** The errno name of a thrown system error, or ''. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
