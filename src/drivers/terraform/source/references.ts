import type { ReadFile } from '../../driver.ts'
import { moduleCalls } from './module-calls.ts'
import { isJson, readModule, type SourceFile } from './blocks.ts'

/** What the text of one source file says that it uses of the repository; nothing about whether it exists. */
export interface References {
  /** Local modules: `source` begins with `./` or `../`. */
  modules: readonly { name: string; source: string }[]
  /** Strings that begin with `../`, alone or below `path.module` or `path.root`, up to their first interpolation. */
  strings: readonly { base: 'module' | 'root'; path: string }[]
  /** It may have a `backend` or `cloud` block; without these words it has none. */
  backend: boolean
}

const NOTHING: References = { modules: [], strings: [], backend: false }
/** A repository of 10,000 stacks of four source files; most say nothing and share one value, so an entry is 150 bytes. */
const REMEMBERED = 50_000
/** By blob id. A push that changes one module of 500 stacks must not read and parse the code of 500 stacks. */
const remembered = new Map<string, References>()

/** What a source file refers to. Reads and parses it only where its id is not known yet. */
export async function referencesIn(read: ReadFile, path: string): Promise<References> {
  const id = (await read.idOf?.(path)) ?? null
  // A name that ends in .json is read in another way.
  const key = id === null ? null : isJson(path) ? `${id} json` : id
  const known = key === null ? undefined : remembered.get(key)
  if (known) return known
  const text = (await read(path))?.toString('utf8') ?? ''
  const references = await findReferences({ path, text })
  if (key !== null) {
    if (remembered.size >= REMEMBERED) remembered.delete(remembered.keys().next().value!)
    remembered.set(key, references)
  }
  return references
}

async function findReferences(file: SourceFile): Promise<References> {
  const modules = await localModules(file)
  const strings = relativeStrings(file.text)
  const backend = /\b(backend|cloud)\b/.test(file.text)
  return modules.length === 0 && strings.length === 0 && !backend ? NOTHING : { modules, strings, backend }
}

const MENTIONS_LOCAL_SOURCE = /"?source"?\s*[=:]\s*"\.{1,2}\//

/** Loading the HCL parser takes 80 ms, so it is loaded only for code that can have a local module. */
async function localModules(file: SourceFile): Promise<References['modules']> {
  if (!MENTIONS_LOCAL_SOURCE.test(file.text)) return []
  const calls = (isJson(file.path) ? null : moduleCalls(file.text)) ?? (await readModule([file])).modules
  return calls.flatMap(({ name, source }) => (source !== null && /^\.\.?\//.test(source) ? [{ name, source }] : []))
}

const RELATIVE_STRING = /"(?:\$\{path\.(module|root)\}\/)?((?:\.\.\/)[^"$]*)(\$)?/g

/** Comments, and sources of modules: those are read as what they are. */
const NOT_A_FILE = /^\s*(?:#|\/\/|"?source"?\s*[=:]).*$/gm

function relativeStrings(text: string): References['strings'] {
  if (!text.includes('../')) return []
  const strings: { base: 'module' | 'root'; path: string }[] = []
  for (const [, base, literal = '', interpolated] of text.replaceAll(NOT_A_FILE, '').matchAll(RELATIVE_STRING)) {
    // What stands before an interpolation is a directory, perhaps with the beginning of a name.
    const path = interpolated === undefined ? literal : `${literal}${literal.endsWith('/') ? '.' : '/..'}`
    strings.push({ base: base === 'module' ? 'module' : 'root', path })
  }
  return strings
}
