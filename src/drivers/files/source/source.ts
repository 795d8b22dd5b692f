import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { isUtf8 } from 'node:buffer'
import { join, posix, relative } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { DriverContext } from '../../driver.ts'
import type { Accounts } from '../host/accounts.ts'
import type { FilesConfig } from '../config.ts'
import { byteNames } from '../host/byte-names.ts'
import { bytesId, fileId, type IdFormat } from '../host/content.ts'
import { HashCache } from '../host/cache.ts'
import { isOwnName } from '../host/inventory.ts'
import { lookAt, type Status } from '../host/live.ts'
import { type Attributes, compileRules, matchAny } from './rules.ts'
import { render, type TemplateValues } from '../../values/template.ts'

/** Mode and owner that a path shall have. Undefined: not compared and not changed. */
interface Wanted {
  /** Path below the target. */
  path: string
  mode?: number
  uid?: number
  gid?: number
}

export interface WantedFile extends Wanted {
  kind: 'file'
  mode: number
  /** Bytes. */
  size: number
  /** Absolute path in the workspace. */
  origin: string
  /** What is written when it is not the workspace's file as it is. */
  rendered?: Buffer
  /** Stat data of `origin`. */
  status: Status
  /** A secret was filled into it, and no rule calls all of it secret. */
  filledIn?: boolean
  /** Undefined: decided by the modes. */
  sensitive?: boolean
}

export interface WantedLink extends Wanted {
  kind: 'symlink'
  target: string
  origin: string
}

/** Directories come from the files in them: Git knows no empty ones. */
export interface WantedDirectory extends Wanted {
  kind: 'directory'
}

export type WantedEntry = WantedFile | WantedLink | WantedDirectory

export interface WantedTree {
  /** By path below the target; parents stand before what is in them. */
  entries: Map<string, WantedEntry>
  /** Format of the content ids. */
  format: IdFormat
  /** Content id of a file; reads it when it is not known yet. */
  idOf(file: WantedFile): string
  isExcluded: (path: string) => boolean
  /** Ids of the workspace's files, to be saved once they have been asked for. */
  ids?: HashCache
}

/** Workspaces are private and never written, so this is against bugs only. */
const SOURCE_AUDIT_MS = 24 * 3_600_000
/** Templates are held in memory. */
const TEMPLATE_BYTES = 1024 * 1024

/** What a stack wants that is to be removed. */
export const noWanted = (config: FilesConfig): WantedTree => ({
  entries: new Map(),
  format: 'sha256',
  idOf: () => '',
  isExcluded: matchAny(config.exclude),
})

/** Reads the tree that Git wants from the workspace. Contents are read only when asked for. Throws SOURCE_INVALID. */
export function readWanted(context: DriverContext<FilesConfig>, accounts: Accounts): WantedTree {
  const { config } = context
  const rules = compileRules(config)
  const isExcluded = matchAny(config.exclude)
  const isTemplate = templateMatcher(config)
  const format: IdFormat = idFormat(context.blobs)
  // A workspace that stays from run to run is hashed once; a fresh one is too young to be believed, and hashed each time.
  const root = join(context.directory, config.source)
  const ids = HashCache.load(join(context.cache, 'source-ids.json'), root, format, SOURCE_AUDIT_MS, Date.now())
  const values = templateValues(context)
  const entries = new Map<string, WantedEntry>()
  for (const { path: sourcePath, origin, kind, target } of walkSource(context)) {
    if (isExcluded(sourcePath)) continue
    const matched = isTemplate(sourcePath)
    const path = matched ? sourcePath.replace(/\.tmpl$/, '') : sourcePath
    const rule = rules(path, false)
    addParents(path)
    if (entries.has(path)) throw twice(sourcePath, path)
    if (kind === 'symlink') {
      const leadsTo = target ?? readlinkSync(origin)
      entries.set(path, { kind, path, origin, target: leadsTo, uid: uidOf(rule), gid: gidOf(rule) })
      continue
    }
    const status = statusOf(origin)
    const mode = rule.mode ?? ((status.mode & 0o100) === 0 ? 0o644 : 0o755)
    const file: WantedFile = {
      kind: 'file',
      path,
      mode,
      uid: uidOf(rule),
      gid: gidOf(rule),
      size: status.size,
      origin,
      status,
      rendered: undefined,
      sensitive: rule.sensitive,
    }
    if (rule.template ?? matched) fillIn(file, relative(context.workspace, origin), values)
    entries.set(path, file)
  }
  return { entries, format, isExcluded, ids, idOf }

  function idOf({ origin, status, rendered }: WantedFile): string {
    if (rendered) return bytesId(rendered, format)
    const inSource = origin.slice(root.length + 1)
    const known = context.blobs?.get(relative(context.workspace, origin)) ?? ids.get(inSource, status)
    if (known !== undefined) return known
    const hashedAt = Date.now()
    const id = fileId(origin, status.size, format)
    ids.set(inSource, status, id, hashedAt)
    return id
  }

  function uidOf({ owner }: Attributes): number | undefined {
    return owner === undefined ? undefined : accounts.uid(owner)
  }

  function gidOf({ group }: Attributes): number | undefined {
    return group === undefined ? undefined : accounts.gid(group)
  }

  function addParents(path: string): void {
    const parent = path.includes('/') ? posix.dirname(path) : ''
    const there = entries.get(parent)
    if (there?.kind === 'directory' || (there === undefined && path === '')) return
    if (there) throw twice(path, parent)
    if (parent !== '') addParents(parent)
    const rule = rules(parent, true)
    entries.set(parent, { kind: 'directory', path: parent, mode: rule.mode, uid: uidOf(rule), gid: gidOf(rule) })
  }
}

/** Which paths in Git are templates. A rule's `template` decides over this. */
export function templateMatcher({ templates }: FilesConfig): (path: string) => boolean {
  if (typeof templates === 'boolean') return templates ? (path) => path.endsWith('.tmpl') : () => false
  return matchAny(templates)
}

/** What templates may name. Everything in the tools' environment but the worker's own names is a variable. */
export function templateValues(context: DriverContext<FilesConfig>): TemplateValues {
  const variables = Object.fromEntries(Object.entries(context.env).filter(([name]) => !WORKER_NAMES.has(name)))
  return { inputs: context.inputs, variables }
}
const WORKER_NAMES = new Set(['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'TZ', 'USER', 'LOGNAME', 'SHELL', 'PWD'])

export interface SourceEntry {
  /** Below the source directory. */
  path: string
  /** Absolute. */
  origin: string
  kind: 'file' | 'symlink'
  /** Of a link that leads out of the workspace and does not stand in it. */
  target?: string
}

/** Every file and symbolic link of the source, sorted so that parents' names come first. Links are not followed. */
export function walkSource(context: DriverContext<FilesConfig>): SourceEntry[] {
  const root = join(context.directory, context.config.source)
  const found: SourceEntry[] = []
  const doing = `reading the source ${posix.join(context.stack.path, context.config.source)}`
  walk('', root)
  for (const [path, target] of context.keptLinks ?? []) {
    const below = relative(root, join(context.workspace, path))
    if (below === '..' || below.startsWith('../')) continue
    if (below.includes('\uFFFD')) throw notUtf8(below)
    if (below.split('/').some(isOwnName) || isOfRepository(below, context)) continue
    found.push({ path: below, origin: join(context.workspace, path), kind: 'symlink', target })
  }
  return found

  function walk(below: string, directory: string): void {
    for (const entry of list(directory)) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      const origin = `${directory}/${entry.name}`
      if (entry.name.includes('\uFFFD') && lstatSync(origin, { throwIfNoEntry: false }) === undefined) {
        const [name = entry.name] = byteNames(directory, entry.name)
        throw notUtf8(below === '' ? name : `${below}/${name}`)
      }
      if (isOwnName(entry.name) || isOfRepository(path, context)) continue
      if (entry.isDirectory()) walk(path, origin)
      else if (entry.isFile()) found.push({ path, origin, kind: 'file' })
      else if (entry.isSymbolicLink()) found.push({ path, origin, kind: 'symlink' })
    }
  }

  function notUtf8(path: string): TrueupError {
    const why = `the name ${JSON.stringify(path)} is not valid UTF-8`
    const next = 'Rename the file; plans and approvals are text and could not name it.'
    return new TrueupError('SOURCE_INVALID', { doing, why, next })
  }

  function list(directory: string): Dirent[] {
    try {
      if (!lstatSync(directory).isDirectory()) throw new Error('it is not a directory')
      return readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
    } catch (cause) {
      const why = directory === root ? 'there is no such directory in the stack' : String(cause)
      throw new TrueupError('SOURCE_INVALID', { doing, why, next: 'Correct `source:` of the stack.', cause })
    }
  }
}

/** A stack at the root of the repository does not deploy what belongs to Trueup and Git. */
function isOfRepository(path: string, { stack, config }: DriverContext<FilesConfig>): boolean {
  const inRepository = posix.join(stack.path, config.source, path)
  return inRepository === 'trueup.yaml' || inRepository === '.git'
}

function statusOf(origin: string): Status {
  const live = lookAt(origin)
  if (live.kind === 'file') return live.status
  throw new Error(`${origin} is no file any more, but a workspace is never changed`)
}

function fillIn(file: WantedFile, name: string, values: TemplateValues): void {
  const doing = `filling in the template ${name}`
  const tooLarge = file.size > TEMPLATE_BYTES
  const bytes = tooLarge ? null : readFileSync(file.origin)
  if (!bytes || !isUtf8(bytes)) {
    const why = tooLarge ? `it is larger than ${TEMPLATE_BYTES} bytes` : 'it is not UTF-8 text'
    throw new TrueupError('SOURCE_INVALID', { doing, why, next: 'Take it out of `templates:`.' })
  }
  const { text, sensitive } = render(bytes.toString('utf8'), values, name)
  file.rendered = Buffer.from(text)
  file.size = file.rendered.length
  if (!sensitive) return
  file.filledIn = file.sensitive !== true
  file.sensitive = true
}

function idFormat(blobs: ReadonlyMap<string, string> | undefined): IdFormat {
  const [id] = blobs?.values() ?? []
  return id?.length === 40 ? 'sha1' : 'sha256'
}

const twice = (source: string, path: string): TrueupError =>
  new TrueupError('SOURCE_INVALID', {
    doing: `placing ${JSON.stringify(source)}`,
    why: `another file of the stack already takes ${JSON.stringify(path)}`,
    next: 'Rename one of the two.',
  })
