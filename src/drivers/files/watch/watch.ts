import { type FSWatcher, lstatSync, readdirSync, watch as watchDirectory } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Finding } from '../../../domain/plans/plan.ts'
import type { DriverContext, Watch } from '../../driver.ts'
import { readAccounts } from '../host/accounts.ts'
import type { FilesConfig } from '../config.ts'
import { errorCode } from '../host/host-tree.ts'
import { isOwnName } from '../host/inventory.ts'
import { lookAt, reasonOf } from '../host/live.ts'
import { readWanted } from '../source/source.ts'
import { targetPath } from '../host/target.ts'
import { watchLink } from './watch-link.ts'

/** The first event of a quiet time is passed on almost at once; a burst is gathered. Milliseconds. */
const FIRST_MS = 2
const BURST_MS = 20
/** Where the kernel gives no more watches. */
const POLL_MS = 2000

/**
 * Reports paths of the target that may have changed, within milliseconds. An event is a reason to look, not a finding:
 * own writes are reported too, and the drift check that follows sees nothing to do.
 *
 * One non-recursive watch per directory: Node's recursive mode on Linux (20.x, tried) misses later changes to a file that
 * was replaced by rename.
 */
export function watch(context: DriverContext<FilesConfig>, onEvent: (addresses: string[]) => void): Promise<Watch> {
  const target = targetPath(context)
  if (!context.config.followTargetSymlink) return Promise.resolve(new TargetWatch(context, target, onEvent))
  return Promise.resolve(watchLink(target, (real, inform) => new TargetWatch(context, real, inform), onEvent))
}

class TargetWatch implements Watch {
  readonly findings: Finding[] = []
  readonly #target: string
  /** Wanted entries by absolute path. */
  readonly #wanted = new Map<string, 'file' | 'symlink' | 'directory'>()
  readonly #isExcluded: (path: string) => boolean
  /** Everything under the target matters, because what Git does not have is removed. */
  readonly #everything: boolean
  readonly #log: (line: string) => void
  readonly #onEvent: (addresses: string[]) => void
  readonly #watchers = new Map<string, FSWatcher>()
  readonly #pending = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #lastSent = 0
  #poll: NodeJS.Timeout | undefined
  #polled = new Map<string, string>()
  #closed = false

  constructor(context: DriverContext<FilesConfig>, target: string, onEvent: (addresses: string[]) => void) {
    const { entries, isExcluded } = readWanted(context, readAccounts())
    this.#target = target
    for (const entry of entries.values()) this.#wanted.set(join(this.#target, entry.path), entry.kind)
    this.#isExcluded = isExcluded
    this.#everything = context.config.prune === 'all'
    this.#log = (line) => context.log(line)
    this.#onEvent = onEvent
    this.#arm(this.#target)
  }

  close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearInterval(this.#poll)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    return Promise.resolve()
  }

  /** Watches a directory and what is below it; where it does not exist, the nearest one above that does. */
  #arm(directory: string): void {
    if (this.#closed || this.#poll) return
    if (!this.#watchOne(directory)) {
      const above = dirname(directory)
      if (directory.length <= this.#target.length && above !== directory) this.#arm(above)
      return
    }
    if (directory.length < this.#target.length) {
      // The target, or a part of the way to it, may have come into being while the watch was set up.
      const next = join(directory, this.#target.slice(directory.length).split('/').find(Boolean) ?? '')
      if (isDirectory(next)) this.#arm(next)
      return
    }
    for (const below of this.#directoriesIn(directory)) this.#arm(below)
  }

  #directoriesIn(directory: string): string[] {
    const wanted = [...this.#wanted].filter(([path, kind]) => kind === 'directory' && dirname(path) === directory)
    const paths = new Set(wanted.map(([path]) => path).filter((path) => path !== directory))
    if (this.#everything) {
      try {
        for (const entry of readdirSync(directory, { withFileTypes: true })) {
          if (entry.isDirectory() && !this.#ignores(join(directory, entry.name))) paths.add(join(directory, entry.name))
        }
      } catch {
        return [...paths] // It is gone again, which is an event of its own.
      }
    }
    return [...paths]
  }

  /** False when it is not there, or is no directory. */
  #watchOne(directory: string): boolean {
    this.#watchers.get(directory)?.close()
    this.#watchers.delete(directory)
    if (!isDirectory(directory)) return false
    try {
      const watcher = watchDirectory(directory, { persistent: false })
      this.#watchers.set(directory, watcher)
      watcher.on('change', (_type, name) => this.#onChange(directory, name === null ? null : String(name)))
      watcher.on('error', (error) => this.#onError(directory, error))
      return true
    } catch (error) {
      if (errorCode(error) === 'ENOSPC' || errorCode(error) === 'EMFILE') this.#startPolling(error)
      return false
    }
  }

  #onChange(directory: string, name: string | null): void {
    if (this.#closed) return
    if (name === null) return this.#report(directory)
    const path = join(directory, name)
    if (isOwnName(name)) return
    // A directory reports its own removal and attributes under its own name.
    const itself = name === basename(directory) && !isDirectory(directory)
    if (itself) this.#lose(directory)
    if (this.#leadsToTarget(path) || this.#holdsWatched(path)) {
      this.#lose(path)
      this.#arm(path)
      this.#report(this.#leadsToTarget(path) ? this.#target : path)
    } else if (this.#matters(path)) this.#report(path)
  }

  #onError(directory: string, error: unknown): void {
    if (this.#closed) return
    this.#log(`watching ${directory} ended: ${reasonOf(error)}`)
    this.#lose(directory)
    this.#arm(directory)
    this.#report(directory)
  }

  /** The target itself or a directory above it. */
  #leadsToTarget(path: string): boolean {
    return path === this.#target || this.#target.startsWith(`${path}/`)
  }

  /** A directory that has to be watched anew when it is replaced. */
  #holdsWatched(path: string): boolean {
    if (!path.startsWith(`${this.#target}/`) || this.#ignores(path)) return false
    return this.#wanted.get(path) === 'directory' || this.#watchers.has(path) || (this.#everything && isDirectory(path))
  }

  #matters(path: string): boolean {
    return this.#wanted.has(path) || (this.#everything && path.startsWith(`${this.#target}/`) && !this.#ignores(path))
  }

  #ignores(path: string): boolean {
    return this.#isExcluded(path.slice(this.#target.length + 1))
  }

  /** Closes the watches of a directory that has gone or been replaced, and of everything below it. */
  #lose(directory: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue
      watcher.close()
      this.#watchers.delete(path)
    }
    if (!this.#leadsToTarget(directory)) return
    if (![...this.#watchers.keys()].some((path) => this.#leadsToTarget(path))) this.#arm(dirname(directory))
  }

  #report(path: string): void {
    this.#pending.add(path)
    if (this.#timer) return
    const wait = Math.max(FIRST_MS, BURST_MS - (performance.now() - this.#lastSent))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#lastSent = performance.now()
      const addresses = [...this.#pending].sort()
      this.#pending.clear()
      if (!this.#closed) this.#onEvent(addresses)
    }, wait)
  }

  #startPolling(error: unknown): void {
    if (this.#poll) return
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    const message = `the kernel gives no more file watches (${reasonOf(error)}): looking every ${POLL_MS / 1000} s instead; raise fs.inotify.max_user_watches`
    this.findings.push({ severity: 'warning', code: 'watch-limit', message, path: this.#target })
    this.#log(message)
    this.#polled = this.#stamps()
    this.#poll = setInterval(() => {
      const now = this.#stamps()
      for (const path of new Set([...now.keys(), ...this.#polled.keys()])) {
        if (now.get(path) !== this.#polled.get(path)) this.#report(path)
      }
      this.#polled = now
    }, POLL_MS)
    this.#poll.unref()
  }

  #stamps(): Map<string, string> {
    const stamps = new Map<string, string>()
    const visit = (path: string): void => {
      const stamp = stampOf(path)
      if (stamp === null) return
      stamps.set(path, stamp)
    }
    for (const path of this.#wanted.keys()) visit(path)
    if (!this.#everything) return stamps
    const walk = (directory: string): void => {
      for (const below of this.#directoriesIn(directory)) {
        visit(below)
        walk(below)
      }
    }
    walk(this.#target)
    return stamps
  }
}

function isDirectory(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
  } catch {
    return false
  }
}

function stampOf(path: string): string | null {
  try {
    const live = lookAt(path)
    return 'status' in live ? `${live.kind} ${JSON.stringify(live.status)}` : null
  } catch (error) {
    return errorCode(error)
  }
}
