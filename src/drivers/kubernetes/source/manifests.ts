import { LineCounter, parseAllDocuments } from 'yaml'
import { digestOf } from '../../../lib/digest.ts'
import type { Json, JsonObject } from '../../../lib/json.ts'
import { HOOK } from '../objects/annotations.ts'
import { isObject, type KubeObject } from '../objects/object.ts'
import { kindOf, mayHoldSecret } from './secret-shape.ts'

/** An object and where it comes from. */
export interface Manifest {
  /** Paths that another rendering of the same source makes otherwise. */
  varying?: readonly string[]
  object: KubeObject
  /** Path from the repository's root, where that is known; else what rendered it. */
  path?: string
  line?: number
}

/** What a renderer gives. */
export interface RawManifests {
  manifests: Manifest[]
  /** Another rendering of the same, where it may differ. */
  again: Manifest[] | null
}

/** A place in the source that is wrong, or (a warning) that does not mean what it seems to. */
export interface Problem {
  message: string
  /** Rendering goes on; the code of its finding. */
  warning?: string
  path?: string
  line?: number
}

/** More documents in one file come from no person. */
const MAX_ALIASES = 100

/**
 * The objects of a YAML or JSON text, lists unpacked. YAML 1.1, which is what Kubernetes reads: `0644` is octal and `yes`
 * is true; but times and `1:30` stay texts, as they do there. A text without a path was rendered by a chart: of a key that
 * is there twice the last one counts, as for Helm, and a warning says so.
 */
export function readManifests(text: string, path: string | undefined, problems: Problem[]): Manifest[] {
  const place = path === undefined ? {} : { path }
  const isLarge = LARGE.test(text)
  if (!isLarge && /^\s*\{/.test(text)) {
    const whole = parsedJson(text)
    if (whole !== undefined) return unpack(whole, { ...place, line: 1 }, problems)
  }
  const found: Manifest[] = []
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isTime(tag)),
    lineCounter: lines,
    prettyErrors: false,
    maxAliasCount: MAX_ALIASES,
    intAsBigInt: isLarge,
  } as Parameters<typeof parseAllDocuments>[1])
  if ('empty' in documents) return []
  for (const document of documents) {
    const [error] = document.errors.filter((one) => path !== undefined || one.code !== 'DUPLICATE_KEY')
    if (error) {
      const what = error.code === 'DUPLICATE_KEY' ? repeatedKey(text, error) : `no valid YAML: ${toldOf(text, error)}`
      problems.push({ ...place, line: lines.linePos(error.pos[0]).line, message: what })
      continue
    }
    const template = /^ ?Source: (.+)$/m.exec(`${document.commentBefore}\n${document.contents?.commentBefore}`)?.[1]
    for (const repeated of document.errors) {
      const where = template === undefined ? '' : `${template}: `
      const message = `${where}${repeatedKey(text, repeated)}; the last one counts`
      problems.push({ ...place, message, warning: 'repeated_key' })
    }
    const start = document.contents?.range?.[0] ?? document.range[0]
    const line = lines.linePos(start).line
    try {
      const value = document.toJS({ maxAliasCount: MAX_ALIASES }) as Json
      const plain = isLarge ? withoutBigInts(value, template) : value
      found.push(...unpack(plain, { ...place, line }, problems))
    } catch (thrown) {
      problems.push({ ...place, line, message: thrown instanceof Error ? toldOf(text, thrown) : String(thrown) })
    }
  }
  return found
}

class BeyondNumber extends Error {
  readonly where: string
  constructor(where: string, value: bigint) {
    super(`${where} is ${value}: ${BeyondNumber.why}`)
    this.where = where
  }
  static readonly why = 'whole numbers beyond 2^53 cannot be carried exactly, and are not rounded'
}

/** The parser quotes the word that it stumbles over: an alias or a tag may be the beginning of a password. */
function toldOf(text: string, error: Error & { code?: string }): string {
  if (!mayHoldSecret(text)) return error.message
  if (error instanceof BeyondNumber) return `${error.where}: ${BeyondNumber.why}`
  return `${(error.code ?? 'bad alias').toLowerCase().replaceAll('_', ' ')} (the text may be a Secret, so no more of it is shown)`
}

const repeatedKey = (text: string, { pos: [start] }: { pos: [number, number] }): string =>
  `the key ${/^("[^"]*"|'[^']*'|[^:\n]+)/.exec(text.slice(start))?.[1] ?? '?'} is there twice in one map`

/** Somewhere there may be a whole number that JavaScript cannot hold: 2^53 has 16 digits. */
const LARGE = /(^|[\s:[,-])[+-]?\d{16,}\s*($|[,\]}#])/m

/** Numbers again; an error for one that would silently become another. */
function withoutBigInts(value: unknown, template: string | undefined, path = ''): Json {
  if (typeof value === 'bigint') {
    const number = Number(value)
    if (Number.isSafeInteger(number)) return number
    const where = [template, path].filter(Boolean).join(': ')
    throw new BeyondNumber(where, value)
  }
  if (Array.isArray(value)) return value.map((item, at) => withoutBigInts(item, template, `${path}[${at}]`))
  if (typeof value !== 'object' || value === null) return value as Json
  const entries = Object.entries(value).map(([name, inner]): [string, Json] => [
    name,
    withoutBigInts(inner, template, path === '' ? name : `${path}.${name}`),
  ])
  return Object.fromEntries(entries)
}

const isTime = ({ tag, format }: { tag?: string; format?: string }): boolean =>
  format === 'TIME' || tag === 'tag:yaml.org,2002:timestamp'

function unpack(value: Json, place: { path?: string; line: number }, problems: Problem[]): Manifest[] {
  if (value === null) return []
  if (!isObject(value) || typeof value.apiVersion !== 'string' || typeof value.kind !== 'string') {
    problems.push({ ...place, message: 'this is no Kubernetes object: it has no apiVersion or no kind' })
    return []
  }
  if (value.kind.endsWith('List') && Array.isArray(value.items)) {
    return value.items.flatMap((item) => unpack(item, place, problems))
  }
  const named = withGivenName(value)
  const why = nameProblem(named)
  if (why === null) return [{ object: named as unknown as KubeObject, ...place }]
  problems.push({ ...place, message: `${value.kind}: ${why}` })
  return []
}

/** A hook is a new object with each change: what `generateName` would give at random is made of its content. */
function withGivenName(value: JsonObject): JsonObject {
  const { metadata } = value
  if (!isObject(metadata) || typeof metadata.generateName !== 'string' || metadata.name !== undefined) return value
  const annotations = isObject(metadata.annotations) ? Object.keys(metadata.annotations) : []
  if (!annotations.some((name) => HOOKS.has(name))) return value
  const { generateName, ...rest } = metadata
  const suffix = digestOf(value).slice('sha256:'.length, 'sha256:'.length + 8)
  return { ...value, metadata: { ...rest, name: `${generateName}${suffix}` } }
}

const HOOKS = new Set([HOOK, 'helm.sh/hook', 'argocd.argoproj.io/hook'])

function nameProblem({ metadata }: JsonObject): string | null {
  if (!isObject(metadata)) return 'it has no metadata'
  const { name, namespace, generateName, labels, annotations } = metadata
  if (generateName !== undefined && name === undefined)
    return 'generateName makes a new object with each apply: give it a name'
  if (typeof name !== 'string' || name === '') return 'metadata.name is missing'
  // Names are parts of paths everywhere: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
  if (/[/%]/.test(name) || name === '.' || name === '..') return `"${name}" is no name of an object`
  if (namespace !== undefined && namespace !== null && typeof namespace !== 'string')
    return 'metadata.namespace is no text'
  for (const [member, values] of Object.entries({ labels, annotations })) {
    if (values === undefined || values === null) continue
    if (!isObject(values)) return `metadata.${member} is no map`
    const bad = Object.entries(values).find(([, text]) => typeof text !== 'string')
    if (bad) return `metadata.${member}.${bad[0]} is ${kindOf(bad[1])} and has to be a text: put it in quotes`
  }
  return null
}

function parsedJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
