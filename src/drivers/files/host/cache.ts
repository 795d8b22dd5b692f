import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { IdFormat } from './content.ts'
import { type Identity, isSameStatus, type Status } from './live.ts'

const VERSION = 1
/** Numbers of a status that are kept per file. */
const FIELDS = 5

/** Columns: ten thousand files load in a few milliseconds. The texts are checked when they are put into the map. */
const CacheFile = z.object({
  version: z.literal(VERSION),
  target: z.string(),
  format: z.enum(['sha1', 'sha256']),
  paths: z.custom<unknown[]>(Array.isArray),
  ids: z.custom<unknown[]>(Array.isArray),
  /** Base64 of doubles, `FIELDS` for each path. */
  statuses: z.string(),
})

interface Entry {
  status: Identity
  id: string
}
type Entries = Map<string, Entry>

/**
 * Files whose timestamps are younger than this when they are hashed may change again within one tick of the file
 * system's clock, and would look untouched. They are hashed again next time (Git: "racy git"). Two seconds cover the
 * coarsest clocks still in use (FAT 2 s, old NFS and ext3 1 s).
 */
const RACY_MS = 2000

/**
 * Content ids of the host's files by their stat data, like Git's index: an unchanged stamp needs no reading. A cache:
 * when it is lost, damaged or of another target, everything is hashed.
 */
export class HashCache {
  readonly #path: string
  readonly #target: string
  readonly #format: IdFormat
  /** Ids may be used; false while everything is hashed. */
  readonly #trusted: boolean
  readonly #auditedAt: number
  readonly #known: Entries
  readonly #next: Entries = new Map()
  #changed = false

  private constructor(
    of: { path: string; target: string; format: IdFormat; trusted: boolean; auditedAt: number },
    known: Entries,
  ) {
    this.#path = of.path
    this.#target = of.target
    this.#format = of.format
    this.#trusted = of.trusted
    this.#auditedAt = of.auditedAt
    this.#known = known
  }

  /**
   * Reads the cache file of the files below `target`. When the last full audit is `auditEveryMs` ago, or the clock has gone
   * back behind it, no id is given out, so that everything is hashed.
   */
  static load(path: string, target: string, format: IdFormat, auditEveryMs: number, now: number): HashCache {
    const file = read(path)
    const fits = file?.target === target && file.format === format
    const age = fits ? now - file.auditedAt : Number.POSITIVE_INFINITY
    const trusted = age >= 0 && age < auditEveryMs
    const auditedAt = trusted && file ? file.auditedAt : now
    return new HashCache({ path, target, format, trusted, auditedAt }, fits ? file.entries : new Map())
  }

  /** The id of a file that has not changed since it was hashed, or undefined. */
  get(path: string, status: Status): string | undefined {
    const entry = this.#trusted ? this.#known.get(path) : undefined
    if (!entry || !isSameStatus(entry.status, status)) return undefined
    this.#next.set(path, entry)
    return entry.id
  }

  /** Remembers an id. `hashedAt` is the time in ms before the content was read. */
  set(path: string, status: Status, id: string, hashedAt: number): void {
    if (Math.max(status.mtimeMs, status.ctimeMs) + RACY_MS > hashedAt) return
    const before = this.#known.get(path)
    const same = before?.id === id && isSameStatus(before.status, status)
    if (!same) this.#changed = true
    this.#next.set(path, same ? before : { status, id })
  }

  /** Writes what this pass saw. A cache that cannot be written is no error: the next pass hashes. */
  save(): void {
    try {
      if (this.#changed || this.#next.size !== this.#known.size) this.#write()
      else if (this.#trusted || this.#next.size === 0) return
      // The file's own time is that of the last audit: one that found all as it was writes nothing else.
      utimesSync(this.#path, new Date(this.#auditedAt), new Date(this.#auditedAt))
    } catch {
      return
    }
  }

  #write(): void {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    const paths: string[] = []
    const ids: string[] = []
    const numbers = new Float64Array(this.#next.size * FIELDS)
    for (const [path, { status, id }] of this.#next) {
      const { device, inode, size, mtimeMs, ctimeMs } = status
      const at = paths.length * FIELDS
      numbers[at] = device
      numbers[at + 1] = inode
      numbers[at + 2] = size
      numbers[at + 3] = mtimeMs
      numbers[at + 4] = ctimeMs
      paths.push(path)
      ids.push(id)
    }
    const statuses = Buffer.from(numbers.buffer).toString('base64')
    const body = { version: VERSION, target: this.#target, format: this.#format, paths, ids, statuses }
    writeFileSync(`${this.#path}.new`, JSON.stringify(body), { mode: 0o600 })
    renameSync(`${this.#path}.new`, this.#path)
  }
}

function read(path: string): { target: string; format: IdFormat; auditedAt: number; entries: Entries } | null {
  try {
    const { data } = CacheFile.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    const entries = data && entriesOf(data)
    return entries ? { ...data, entries, auditedAt: statSync(path).mtimeMs } : null
  } catch {
    return null
  }
}

function entriesOf({ paths, ids, statuses }: z.infer<typeof CacheFile>): Entries | null {
  const bytes = Buffer.from(statuses, 'base64')
  if (ids.length !== paths.length || bytes.length !== paths.length * FIELDS * Float64Array.BYTES_PER_ELEMENT)
    return null
  // A copy of its own: a view of doubles must begin at a multiple of eight.
  const numbers = new Float64Array(new Uint8Array(bytes).buffer)
  const entries: Entries = new Map()
  for (const [i, path] of paths.entries()) {
    const id = ids[i]
    if (typeof path !== 'string' || typeof id !== 'string') return null
    const at = i * FIELDS
    entries.set(path, {
      id,
      status: {
        device: numbers[at] ?? 0,
        inode: numbers[at + 1] ?? 0,
        size: numbers[at + 2] ?? 0,
        mtimeMs: numbers[at + 3] ?? 0,
        ctimeMs: numbers[at + 4] ?? 0,
      },
    })
  }
  return entries
}
