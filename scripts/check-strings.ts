/**
 * Words of the web application stand in `web/src/strings`, one file a page, and nowhere else: text between tags, words in
 * attributes that people read or hear, and sentences in code. What is no language stays where it is: commands, code, classes.
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSync } from 'vite'

/** Of elements and components: what people read or hear of them. */
const READ = new Set(
  'alt aria-description aria-label can done hint label lead none placeholder says title verb word'.split(' '),
)
/** Never language: addresses, commands to copy, looks. */
const NOT_READ = new Set(
  'className command d href id key line mode name params path rel role search style to tone type variant viewBox'.split(
    ' ',
  ),
)
/** What is between these is code. */
const CODE = new Set(['code', 'kbd', 'pre'])
/** Whose words are their own: what states are called, and the words themselves. */
const ALLOWED = /^web\/src\/(strings\/|text\.ts$|api\/schema\.ts$)/
/** In code: a capital word alone, or two words and a space between. */
const SENTENCE = /^[A-Z][a-z]+[.:…]?$|\p{L}{2,}[,.:;]? \p{L}/u
/** Commands, addresses, files, selectors, and values of styles. */
const NO_LANGUAGE =
  /^(--|\/|trueup[. ]|git |npm |main |plan-|group |rest |file\.|version: 1|\d+px )|```|:\/\/|\bcalc\(|\bvar\(|translateY|minmax|--- a\//
/** A list of classes, such as `flex px-2 hover:underline`. */
const CLASSES = /(^|\s)-?[a-z]+([-:/][\w[\]()/.%,!-]+)+!?(\s|$)/
/** Names of keys and events, and what the browser calls its things. */
const NAMES = new Set(['Enter', 'Escape', 'Tab', 'ArrowDown', 'ArrowUp', 'Inter'])

interface Node {
  type: string
  start: number
  end: number
  [field: string]: unknown
}

/** One line for each word that stands where only code should: `FILE:LINE text`. */
export function strayStrings(file: string, source: string): string[] {
  if (ALLOWED.test(file)) return []
  const found: string[] = []
  const report = (node: Node, text: string): void => {
    const line = source.slice(0, node.start).split('\n').length
    found.push(`${file}:${line} ${JSON.stringify(text.trim().slice(0, 80))}`)
  }
  const visit = (node: Node, parents: readonly Node[]): void => {
    if (/^(Import|Export(Named|All)Declaration$)/.test(node.type) && node['source']) return
    if (node.type.startsWith('TS') && !/^TS(As|NonNull|Satisfies)/.test(node.type)) return
    const text = textOf(node)
    if (text !== null && isWords(node, text, parents)) report(node, text)
    for (const [field, value] of Object.entries(node)) {
      if (node.type === 'Property' && field === 'key') continue
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, [...parents, node])
    }
  }
  visit(parseSync(file, source).program as unknown as Node, [])
  return found
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** The text of a literal, with a mark where a template takes something in. */
function textOf(node: Node): string | null {
  if (node.type === 'JSXText') return node['value'] as string
  if (node.type === 'Literal' && typeof node['value'] === 'string') return node['value']
  if (node.type !== 'TemplateLiteral') return null
  return (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => value.cooked).join('§')
}

function isWords(node: Node, text: string, parents: readonly Node[]): boolean {
  const element = parents.findLast(({ type }) => type === 'JSXElement')
  if (node.type === 'JSXText') return /\p{L}/u.test(text) && !CODE.has(nameOf(element?.['openingElement']))
  if (NO_LANGUAGE.test(text) || CLASSES.test(text) || NAMES.has(text) || isOfCode(node, parents)) return false
  const attribute = parents.findLast(({ type }) => type === 'JSXAttribute')
  const name = attribute ? nameOf(attribute) : ''
  if (NOT_READ.has(name)) return false
  const isDirect = attribute !== undefined && parents.at(-1) === attribute
  return isDirect && READ.has(name) ? /\p{L}/u.test(text) : SENTENCE.test(text)
}

/** Compared with, looked up by, given to something that takes no language, or of a variable that holds none. */
function isOfCode(node: Node, parents: readonly Node[]): boolean {
  const parent = parents.at(-1)
  if (!parent) return false
  if (parent.type === 'BinaryExpression' && /^[!=]==?$/.test(parent['operator'] as string)) return true
  if (parent.type === 'MemberExpression' || parent.type === 'SwitchCase') return true
  if (parent.type === 'CallExpression' && parent['callee'] !== node)
    return /^(querySelector(All)?|closest|useKey|getRouteApi|lazyRouteComponent|addEventListener|includes|startsWith|replace|split|join)$/.test(
      nameOf((parent['callee'] as Node)['property'] ?? parent['callee']),
    )
  const holder = parents.findLast(({ type }) => type === 'VariableDeclarator' || type === 'Property')
  return /^(command|repo|className|look|style|key|lazy|loader|component)$/.test(
    nameOf(holder?.['id'] ?? holder?.['key'] ?? undefined),
  )
}

/** The name of an identifier, an element or an attribute; empty for what has none. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return ''
  const { name } = node
  return typeof name === 'string' ? name : nameOf(name)
}

function main(): number {
  const root = join(import.meta.dirname, '..')
  const files = globSync('web/src/**/*.{ts,tsx}', { cwd: root }).sort()
  const found = files.flatMap((file) => strayStrings(file, readFileSync(join(root, file), 'utf8')))
  for (const line of found) console.error(line)
  if (found.length > 0) console.error(`${found.length} texts of pages belong into web/src/strings`)
  return found.length > 0 ? 1 : 0
}

if (import.meta.main) process.exitCode = main()
