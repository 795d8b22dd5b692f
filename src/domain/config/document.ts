import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml'
import { LIMITS, checkTokens, checkValues } from './limits.ts'
import { configError, type Problem, pathText } from './problems.ts'

/** Line (from 1) of a key of the configuration, by its path: `['stacks', 3, 'path']`; that of the nearest parent else. */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined

type LineAt = (node: Node) => number | undefined

export interface YamlFile {
  /** Plain JSON values, aliases replaced. */
  value: unknown
  lineOf: LineOf
  /** What YAML allows and a configuration does not: doubled keys, numbers that lose digits. */
  problems: Problem[]
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * Reads one YAML 1.2 document of bounded size. `doing` starts the message of errors. Throws CONFIG_SYNTAX (with line and
 * column) and CONFIG_LIMIT, and CONFIG_INVALID for an empty file.
 */
export function readYaml(source: string | Buffer, doing: string): YamlFile {
  const text = decode(source, doing)
  const tokens = checkTokens(text)
  if (tokens) throw configError(tokens.code, doing, [tokens.problem])

  const lines = new LineCounter()
  const document = parse(text, lines, doing)
  const lineAt: LineAt = (node) => (node.range ? lines.linePos(node.range[0]).line : undefined)
  const problems = inspect(document, lineAt)
  return { value: toValue(document, doing, lineAt), lineOf: (path) => lineOf(document, path, lineAt), problems }
}

function decode(source: string | Buffer, doing: string): string {
  const bytes = typeof source === 'string' ? Buffer.byteLength(source) : source.length
  const wrong = (code: 'CONFIG_LIMIT' | 'CONFIG_SYNTAX' | 'CONFIG_INVALID', message: string) =>
    configError(code, doing, [{ path: '', message }])
  if (bytes > LIMITS.bytes)
    throw wrong('CONFIG_LIMIT', `the file has ${bytes} bytes, more than the ${LIMITS.bytes} (1 MiB) that are allowed`)
  let text: string
  try {
    text = typeof source === 'string' ? source.replace(/^\uFEFF/, '') : decoder.decode(source)
  } catch {
    throw wrong('CONFIG_SYNTAX', 'the file is not UTF-8 text')
  }
  if (text.includes('\0')) throw wrong('CONFIG_SYNTAX', 'the file holds NUL characters: it is not a text file')
  if (/^\s*$/.test(text)) throw wrong('CONFIG_INVALID', 'the file is empty')
  return text
}

function parse(text: string, lines: LineCounter, doing: string): Document {
  // Each syntax error captures a stack trace, which is most of the time that a file of a million errors takes.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    const documents = parseAllDocuments(text, {
      lineCounter: lines,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      merge: true,
      stringKeys: true,
      // Quadratic in the keys of a map; `inspect` does it in linear time.
      uniqueKeys: false,
      logLevel: 'silent',
    })
    const [document, second] = 'empty' in documents ? [] : documents
    if (!document) throw configError('CONFIG_INVALID', doing, [{ path: '', message: 'the file is empty' }])
    const problems = [...document.errors, ...document.warnings].map(({ message, pos }): Problem => {
      const { line, col } = lines.linePos(pos[0])
      return { line, column: col, path: '', message: message.charAt(0).toLowerCase() + message.slice(1) }
    })
    if (problems.length > 0) throw configError('CONFIG_SYNTAX', doing, problems)
    if (second) {
      const { line } = lines.linePos(second.range[0])
      throw configError('CONFIG_SYNTAX', doing, [
        { line, path: '', message: 'a second document begins; there can be one' },
      ])
    }
    return document
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function toValue(document: Document, doing: string, lineAt: LineAt): unknown {
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: LIMITS.aliases })
  } catch {
    // The library tells unknown anchors from alias bombs by text only; what is unknown can be asked of the document.
    const unknown = unknownAlias(document)
    if (unknown !== null)
      throw configError('CONFIG_SYNTAX', doing, [
        { path: '', message: `the alias *${unknown} names no anchor before it` },
      ])
    const merge = wrongMerge(document)
    if (merge !== null) {
      const message = 'a merge key `<<` needs a mapping, or a list of mappings'
      throw configError('CONFIG_SYNTAX', doing, [{ line: lineAt(merge), path: '', message }])
    }
    throw configError('CONFIG_LIMIT', doing, [{ path: '', message: 'aliases of aliases stand for too many values' }])
  }
  const tooMuch = checkValues(value)
  if (tooMuch !== null) throw configError('CONFIG_LIMIT', doing, [{ path: '', message: tooMuch }])
  return value
}

/** A merge key (`<<`) whose value is no mapping and no list of mappings. */
function wrongMerge(document: Document): Node | null {
  const resolved = (node: unknown) => (isAlias(node) ? node.resolve(document) : node)
  let wrong: Node | null = null
  walk(document.contents, [], (node) => {
    if (!isMap(node)) return
    for (const { key, value } of node.items) {
      if (!isScalar(key) || key.source !== '<<') continue
      const target = resolved(value)
      const good = isMap(target) || (isSeq(target) && target.items.every((item) => isMap(resolved(item))))
      if (!good) wrong ??= key
    }
  })
  return wrong
}

function unknownAlias(document: Document): string | null {
  const anchors = new Set<string>()
  let unknown: string | null = null
  walk(document.contents, [], (node) => {
    if (isAlias(node)) unknown ??= anchors.has(node.source) ? null : node.source
    else if (node.anchor !== undefined) anchors.add(node.anchor)
  })
  return unknown
}

function inspect(document: Document, lineAt: LineAt): Problem[] {
  const problems: Problem[] = []
  walk(document.contents, [], (node, path) => {
    if (isMap(node)) {
      const keys = new Set<string>()
      for (const { key } of node.items) {
        const name = isScalar(key) ? String(key.value) : ''
        const line = isScalar(key) ? lineAt(key) : undefined
        if (keys.has(name))
          problems.push({ line, path: pathText(path), message: `the key ${JSON.stringify(name)} stands twice` })
        if (name === '__proto__')
          problems.push({ line, path: pathText(path), message: 'the key "__proto__" is not allowed' })
        keys.add(name)
      }
    }
    if (!isScalar(node) || typeof node.value !== 'number' || node.source === undefined) return
    const lossy = /^[-+]?0\d/.test(node.source) || (/^[-+]?\d+$/.test(node.source) && !Number.isSafeInteger(node.value))
    if (!lossy) return
    const message = `the number ${node.source.slice(0, 40)} would be read as ${node.value}: put it in quotes if it is text`
    problems.push({ line: lineAt(node), path: pathText(path), message })
  })
  return problems
}

/** Every node below one, in the order of the text, with its path; keys are left out. */
function walk(
  root: unknown,
  at: readonly PropertyKey[],
  visit: (node: Node, path: readonly PropertyKey[]) => void,
): void {
  const waiting: { node: unknown; path: readonly PropertyKey[] }[] = [{ node: root, path: at }]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, path } = next
    if (isScalar(node) || isAlias(node)) visit(node, path)
    if (isSeq(node)) {
      visit(node, path)
      for (let i = node.items.length - 1; i >= 0; i--) waiting.push({ node: node.items[i], path: [...path, i] })
    }
    if (!isMap(node)) continue
    visit(node, path)
    for (const pair of node.items.toReversed())
      waiting.push({ node: pair.value, path: [...path, isScalar(pair.key) ? String(pair.key.value) : ''] })
  }
}

function lineOf(document: Document, path: readonly PropertyKey[], lineAt: LineAt): number | undefined {
  let node: unknown = document.contents
  let line = document.contents ? lineAt(document.contents) : undefined
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isSeq(node)) {
      node = node.items[Number(part)]
      if (isNode(node)) line = lineAt(node) ?? line
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      if (!isPair(pair)) return line
      line = lineAt(pair.key as Node) ?? line
      node = pair.value
    } else return line
  }
  return line
}
