import type { Action, AttributeChange, ResourceChange } from '../../../domain/plans/plan.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { attributeChanges } from '../../values/attributes.ts'
import type { Redaction } from '../../values/redaction.ts'
import type { DiffEntry, ResultEvent } from '../tool/events.ts'

/**
 * `HOST/ROLE : TASK`, followed by `: FILE` or `: ITEM` where the task is about a file or goes through a list. No secrets,
 * and nothing that differs from run to run.
 */
export function addressOf({ host, key, subject }: ResultEvent, redaction: Redaction): string {
  const what = subject === null ? '' : `: ${subject.replaceAll(/\s+/g, ' ').slice(0, 300)}`
  return redaction.text(`${host}/${key}${what}`)
}

/**
 * What these results say would change, ordered by host and then as the tasks are. With `hideFormer` nothing is shown of what
 * is there now: it may hold secrets that nobody can know.
 */
export function changesOf(results: readonly ResultEvent[], redaction: Redaction, hideFormer = false): ResourceChange[] {
  const merged = new Map<string, ResourceChange>()
  for (const result of results) {
    const change = changeOf(result, redaction, hideFormer)
    const known = merged.get(change.address)
    if (known === undefined) merged.set(change.address, change)
    else merged.set(change.address, together(known, change))
  }
  return [...merged.values()].toSorted((a, b) =>
    hostOf(a.address) < hostOf(b.address) ? -1 : hostOf(a.address) > hostOf(b.address) ? 1 : 0,
  )
}

const hostOf = (address: string): string => address.slice(0, address.indexOf('/'))

/** Two items of a loop that are called the same, or two runs of a handler: one change, with all that either says. */
function together(first: ResourceChange, second: ResourceChange): ResourceChange {
  const known = new Set(first.attributes.map((attribute) => JSON.stringify(attribute)))
  const more = second.attributes.filter((attribute) => !known.has(JSON.stringify(attribute)))
  return { ...first, attributes: distinct([...first.attributes, ...more]) }
}

function changeOf(result: ResultEvent, redaction: Redaction, hideFormer: boolean): ResourceChange {
  const address = addressOf(result, redaction)
  const entries = result.diff === null ? [] : [result.diff].flat()
  const attributes = distinct(entries.flatMap((entry) => attributesOf(entry, entries, result, redaction, hideFormer)))
  const change: ResourceChange = {
    address,
    type: result.action,
    actions: [actionOf(entries)],
    attributes,
    cause: 'config',
  }
  if (attributes.length > 0) return change
  const unknown = { path: 'changed', unknown: true }
  if (result.noLog) return { ...change, attributes: [{ ...unknown, sensitive: true }], reason: 'hidden by no_log' }
  if (result.unseen) return { ...change, attributes: [unknown], reason: 'check mode cannot tell what it does' }
  return {
    ...change,
    attributes: [unknown],
    reason: `the module ${result.action} says that, not what, it would change`,
  }
}

function actionOf(entries: readonly DiffEntry[]): Action {
  const states = entries.map(({ before, after }) => [stateOf(before), stateOf(after)] as const)
  if (states.some(([before]) => before === 'absent')) return 'create'
  if (states.some(([, after]) => after === 'absent')) return 'delete'
  // `copy` and `template` name the file that is there in the header, and none where there is none.
  const [first] = entries
  const isNew = entries.length === 1 && first?.before === '' && typeof first.after === 'string' && !first.before_header
  return isNew ? 'create' : 'update'
}

const stateOf = (value: Json | undefined): Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? (value.state ?? null) : null

function attributesOf(
  entry: DiffEntry,
  all: readonly DiffEntry[],
  result: ResultEvent,
  redaction: Redaction,
  hideFormer: boolean,
): AttributeChange[] {
  if (typeof entry.prepared === 'string' && entry.prepared.trim() !== '') {
    const { value, sensitive } = redaction.value(entry.prepared.trimEnd(), hideFormer)
    const told = sensitive ? redaction.value.told?.(null, entry.prepared.trimEnd(), hideFormer) : undefined
    return [{ path: 'diff', after: value, ...(sensitive && { sensitive }), ...(told !== undefined && { shown: told }) }]
  }
  const { before, after } = entry
  if (isObject(before) || isObject(after)) {
    const [old, next] = [withoutNoise(before, after), withoutNoise(after, before)]
    return attributeChanges({ before: old, after: next }, redaction.value)
  }
  if (typeof before === 'string' || typeof after === 'string') {
    if (before === after) return []
    return attributeChanges(
      {
        before: before ?? null,
        after: after ?? null,
        beforeSensitive: hideFormer && typeof before === 'string' && before !== '',
      },
      redaction.value,
      contentName(entry, all, result),
    )
  }
  const unshown = ['src_binary', 'dst_binary', 'src_larger', 'dst_larger'].some((key) => key in entry)
  return unshown ? [{ path: contentName(entry, all, result), unknown: true }] : []
}

const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** `path` says where, not what; the list of what a directory holds, which `file` gives when it removes one, is endless. */
function withoutNoise(value: Json | undefined, other: Json | undefined): Json {
  if (!isObject(value)) return value ?? null
  const { path_content: _, ...rest } = value
  if (isObject(other) && rest['path'] === other['path']) delete rest['path']
  return rest
}

/** `content`, or with the file's name where one task writes several. Headers that name temporary files say nothing. */
function contentName(
  { before_header, after_header }: DiffEntry,
  all: readonly DiffEntry[],
  result: ResultEvent,
): string {
  const texts = all.filter(({ before, after }) => typeof before === 'string' || typeof after === 'string')
  if (texts.length < 2) return 'content'
  const header = (before_header ?? after_header ?? '').replace(/ \(content\)$/, '')
  const below = result.subject !== null && header.startsWith(`${result.subject.replace(/\/$/, '')}/`)
  const name = below ? header.slice(result.subject!.replace(/\/$/, '').length + 1) : header.replace(/^.*\//, '')
  return name === '' || /^tmp[\w-]{6,}$/.test(name) ? 'content' : `content[${JSON.stringify(name)}]`
}

/** Attribute paths are unique within a change. */
function distinct(attributes: readonly AttributeChange[]): AttributeChange[] {
  const seen = new Map<string, number>()
  return attributes.map((attribute) => {
    const number = (seen.get(attribute.path) ?? 0) + 1
    seen.set(attribute.path, number)
    return number === 1 ? attribute : { ...attribute, path: `${attribute.path}[${number - 1}]` }
  })
}
