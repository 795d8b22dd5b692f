import { applyPatch, parsePatch } from 'diff'
import { createHash } from 'node:crypto'
import type { Json } from '../../../lib/json.ts'
import type { Entry } from '../tool/report.ts'

export interface Told {
  path: string
  before?: Json
  after?: Json
  sensitive?: boolean
}

/** What one action would do, by the words of Chef's providers. */
export interface ToldChange {
  action: 'create' | 'update' | 'delete'
  attributes: Told[]
}

const CREATED =
  /^(create new (?:file|directory)|create symlink|create user|create group|create hard link|install |create )/
const DELETED = /^(delete |remove |purge |uninstall )/
/** What stands in place of a diff (Chef::Util::Diff): binary contents, too long ones, secret ones. */
const NO_DIFF = /^suppressed sensitive|^\(.*diff output suppressed\)$|^\(.*(too large|too long).*\)$/
/** First lines of an update whose attributes follow, in `converge_if_changed` and of users. */
const HEADING = /^(update|alter user) /

/**
 * Reads the updates that a provider announces (`change mode from '0644' to '0640'`), as the doc formatter prints them after
 * `Would`. What it does not know becomes one attribute `state` with those words.
 */
export function attributesOf(entry: Entry): ToldChange {
  const lines = entry.updates.filter((line) => !/^[-+@ ]/.test(line) || line.startsWith(SET))
  const deleted = lines.some((line) => DELETED.test(line))
  const link = entry.type === 'link' && entry.before?.to !== undefined && entry.before.to !== null
  const created = !deleted && !link && lines.some((line) => CREATED.test(line))
  const found = new Map<string, Told>()
  const add = (told: Told): void => void found.set(told.path, told)
  const rest: string[] = []
  for (const line of lines) {
    const told = attributeIn(entry, line)
    if (told !== null) add(told)
    else if (!CREATED.test(line) && !DELETED.test(line) && !NO_DIFF.test(line)) rest.push(line)
  }
  if (created) {
    for (const [path, value] of Object.entries(entry.wanted ?? {})) {
      if (path !== 'path' && path !== 'target_file' && !found.has(path)) add({ path, after: value })
    }
    if (!found.has('content') && entry.wanted_content !== null && entry.wanted_content !== undefined) {
      add({ path: 'content', after: entry.wanted_content })
    }
  }
  if (found.size > 0) rest.splice(0, rest.length, ...rest.filter((line) => !HEADING.test(line)))
  if (link) add({ path: 'to', before: entry.before!.to!, after: entry.wanted?.to ?? null })
  if (deleted && found.size === 0) add({ path: 'state', before: 'present', after: 'absent' })
  if (rest.length > 0 || found.size === 0) {
    const words = rest.length > 0 ? rest : lines
    add({ path: 'state', after: entry.sensitive ? { redacted: words.join('; ') } : words.join('; ') || entry.action })
  }
  return { action: deleted ? 'delete' : created ? 'create' : 'update', attributes: [...found.values()] }
}

function attributeIn(entry: Entry, line: string): Told | null {
  const changed = /^change (mode|owner|group) from '(.*)' to '(.*)'$/.exec(line)
  if (changed) {
    const [, path, before, after] = changed
    return { path: path!, ...(before !== '' && { before: before! }), after: after! }
  }
  const property = line.startsWith(SET) ? propertyIn(entry, line) : null
  if (property !== null) return property
  const user = entry.type === 'user' ? /^change (\w+) from (.*) to (.*)$/s.exec(line) : null
  if (user) {
    const [, path, before, after] = user
    // Chef prints the hash that the host has; the witness has suppressed it.
    if (path === 'password') return secretOf(entry, path)
    return { path: path!, ...(before !== '' && { before: before! }), after: after! }
  }
  const content = /^update content in file .* from (none|[0-9a-f]+) to ([0-9a-f]+)$/.exec(line)
  if (content) return contentOf(entry, content[1]!, content[2]!)
  const service = /^(enable|disable|start|stop|restart|reload) service /.exec(line)
  if (service) {
    const path = service[1]!.endsWith('able') ? 'enabled' : 'running'
    const after = ['enable', 'start'].includes(service[1]!)
    if (/^(restart|reload)$/.test(service[1]!)) return { path: 'state', after: service[1]! }
    return { path, before: !after, after }
  }
  const version = /^(?:install|upgrade) (?:version (\S+) of )?package (\S+)(?: from (\S+) to (\S+))?$/.exec(line)
  if (version) return { path: 'version', before: version[3] ?? null, after: version[4] ?? version[1] ?? 'installed' }
  const command = /^(?:execute|run) (.+)$/.exec(line)
  if (command)
    return { path: 'run', before: 'not run', after: entry.sensitive ? { redacted: command[1]! } : command[1]! }
  return null
}

/** How `converge_if_changed` begins the line of a property. */
const SET = '  set '

/** `  set port to 80 (was 81)`, values as Ruby inspects them (Chef::Provider#converge_if_changed). */
function propertyIn(entry: Entry, line: string): Told | null {
  const found = /^ {2}set (\w+) +to (.*)$/s.exec(line)
  if (found === null) return null
  const [, path, value] = found
  if (value!.startsWith('(suppressed sensitive property)')) return secretOf(entry, path!)
  const changed = /^(.*) \(was (.*)\)$/s.exec(value!)
  if (changed !== null) return { path: path!, before: fromRuby(changed[2]!), after: fromRuby(changed[1]!) }
  return { path: path!, after: fromRuby(value!.replace(/ \(default value\)$/, '')) }
}

/** A property whose value only the host knows; the witness tells hashes of it. */
function secretOf(entry: Entry, path: string): Told {
  const before = entry.before?.[path]
  return {
    path,
    sensitive: true,
    ...(before !== undefined && before !== null && { before }),
    after: entry.wanted?.[path] ?? { redacted: path },
  }
}

/** What Ruby's `inspect` writes, where JSON can read it; else those words. */
function fromRuby(text: string): Json {
  if (text === 'nil') return null
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** Whole contents where they are known and have the checksums that Chef names, else those. */
function contentOf(entry: Entry, from: string, to: string): Told {
  if (entry.sensitive) {
    return {
      path: 'content',
      sensitive: true,
      ...(from !== 'none' && { before: entry.content ?? from }),
      after: entry.wanted_content ?? { redacted: to },
    }
  }
  const before = typeof entry.content === 'string' && starts(entry.content, from) ? entry.content : null
  const candidates = [entry.wanted_content, ...patched(before ?? '', entry.updates)]
  const after = candidates.find((each) => typeof each === 'string' && starts(each, to))
  if (after === undefined || (before === null && from !== 'none')) {
    return { path: 'content', ...(from !== 'none' && { before: `{sha256}${from}…` }), after: `{sha256}${to}…` }
  }
  return { path: 'content', ...(before !== null && from !== 'none' && { before }), after: after! }
}

const starts = (text: string, prefix: string): boolean =>
  createHash('sha256').update(text).digest('hex').startsWith(prefix)

/** The text after Chef's diff, which counts lines in a way of its own and does not tell of a missing line end. */
function patched(before: string, updates: readonly string[]): string[] {
  const from = updates.findIndex((line) => line.startsWith('--- '))
  if (from === -1) return []
  const lines = updates.slice(from).filter((line) => /^(---|\+\+\+|@@|[-+ ])/.test(line))
  try {
    const result = applyPatch(before, parsePatch(recounted(lines).join('\n'))[0]!)
    if (result === false) return []
    const bare = result.replace(/\n+$/, '')
    return [result, bare, `${bare}\n`]
  } catch {
    return []
  }
}

function recounted(lines: readonly string[]): string[] {
  return lines.map((line, at) => {
    const header = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(line)
    if (header === null) return line
    const next = lines.findIndex((each, index) => index > at && each.startsWith('@@'))
    const body = lines.slice(at + 1, next === -1 ? undefined : next)
    const old = body.filter((each) => !each.startsWith('+')).length
    const now = body.filter((each) => !each.startsWith('-')).length
    return `@@ -${header[1]},${old} +${header[2]},${now} @@`
  })
}
