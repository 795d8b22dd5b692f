import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type ScalarTag,
  type CollectionTag,
} from 'yaml'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'

/** Functions that YAML templates may write as a tag (AWS: "Intrinsic function reference", short forms). */
const SHORT_FORMS = [
  'And',
  'Base64',
  'Cidr',
  'Condition',
  'Contains',
  'EachMemberEquals',
  'EachMemberIn',
  'Equals',
  'FindInMap',
  'ForEach',
  'GetAtt',
  'GetAZs',
  'If',
  'ImportValue',
  'Join',
  'Length',
  'Not',
  'Or',
  'Ref',
  'RefAll',
  'Select',
  'Split',
  'Sub',
  'ToJsonString',
  'Transform',
  'ValueOf',
  'ValueOfAll',
] as const
const WITHOUT_PREFIX = new Set<string>(['Ref', 'Condition'])

/** Deeper templates come from no tool, and would exhaust the stack of whoever walks them. */
const MAX_NESTING = 100

/** A template as it was written and as plain JSON, short forms as `{"Fn::…": …}`. */
export interface Template {
  text: string
  document: Document.Parsed
  value: JsonObject
  /** Puts a value at a path of the document, or takes what is there away; `value` stays what was written. */
  set(path: readonly (string | number)[], value: Json | undefined): void
  /** The template as text: as it was written, unless something was set. */
  write(): string
  /** Line (from 1) of a path inside the template, or of the nearest thing above it. */
  lineOf(path: readonly (string | number)[]): number | undefined
}

/**
 * Reads a YAML or JSON template. A tag is kept in the document and becomes its long form in `value`.
 * Throws SOURCE_INVALID with file and line for what is no YAML, or no mapping.
 */
export function parseTemplate(text: string, path: string): Template {
  const lines = new LineCounter()
  const document = parseDocument(text, { customTags: SHORT_TAGS, lineCounter: lines, merge: true, prettyErrors: false })
  const [error] = document.errors
  if (error) throw invalid(path, error.message, lines.linePos(error.pos[0]).line)
  if (!isMap(document.contents)) throw invalid(path, 'a template is a mapping with the key Resources', 1)
  const value = plain(document.contents, document, 0) as JsonObject
  let edited = false
  return {
    text,
    document,
    value,
    set(steps, replacement) {
      edited = true
      if (replacement === undefined) document.deleteIn(steps)
      else document.setIn(steps, document.createNode(replacement))
    },
    write: () => (edited ? document.toString({ lineWidth: 0 }) : text),
    lineOf: (steps) => lineOf(document, lines, steps),
  }
}

/** The error of a template that cannot be read. */
export function invalid(path: string, why: string, line?: number): TrueupError {
  return new TrueupError('SOURCE_INVALID', {
    doing: `reading the template ${path}`,
    why: line === undefined ? why : `line ${line}: ${why}`,
    details: { path, ...(line !== undefined && { line }) },
  })
}

const keep = <T>(node: T): T => node

const SHORT_TAGS: (ScalarTag | CollectionTag)[] = SHORT_FORMS.flatMap((name) => [
  { tag: `!${name}`, resolve: (text: string) => text },
  { tag: `!${name}`, collection: 'seq' as const, resolve: keep },
  { tag: `!${name}`, collection: 'map' as const, resolve: keep },
])

function plain(node: unknown, document: Document.Parsed, depth: number): Json {
  if (depth > MAX_NESTING) throw invalid('', `it nests deeper than ${MAX_NESTING} levels`)
  if (isAlias(node)) return plain(node.resolve(document), document, depth + 1)
  const value = bare(node, document, depth)
  const tag = (node as Node & { tag?: string }).tag
  if (typeof tag !== 'string' || !tag.startsWith('!') || tag.startsWith('!!')) return value
  const name = tag.slice(1)
  if (name === 'GetAtt' && typeof value === 'string') return { 'Fn::GetAtt': splitOnce(value) }
  return { [WITHOUT_PREFIX.has(name) ? name : `Fn::${name}`]: value }
}

function bare(node: unknown, document: Document.Parsed, depth: number): Json {
  if (isMap(node)) {
    const entries: [string, Json][] = []
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : String(key)
      const inner = plain(value, document, depth + 1)
      if (name === '<<' && inner !== null && typeof inner === 'object' && !Array.isArray(inner)) {
        entries.unshift(...Object.entries(inner))
      } else entries.push([name, inner])
    }
    return Object.fromEntries(entries)
  }
  if (isSeq(node)) return node.items.map((item) => plain(item, document, depth + 1))
  if (!isScalar(node)) return null
  const { value, source } = node
  // Account ids start with zeros, and are longer than a double is exact.
  if (typeof value === 'number' && source !== undefined && String(value) !== source && /^\d+$/.test(source))
    return source
  return (value ?? null) as Json
}

const splitOnce = (text: string): Json => {
  const dot = text.indexOf('.')
  return dot === -1 ? text : [text.slice(0, dot), text.slice(dot + 1)]
}

function lineOf(document: Document.Parsed, lines: LineCounter, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined
    const key = pair?.key as Node | undefined
    const found = key ?? (isSeq(parent) ? (parent.items[Number(last)] as Node | undefined) : undefined)
    if (found?.range) return lines.linePos(found.range[0]).line
  }
  return undefined
}
