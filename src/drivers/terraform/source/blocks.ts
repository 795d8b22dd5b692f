import { posix } from 'node:path'
import type { ListFiles, ReadFile } from '../../driver.ts'

/** A `module` block. `source` as written; null where it is not a literal. */
export interface ModuleCall {
  name: string
  source: string | null
  version: string | null
}

export interface ResourceBlock {
  type: string
  name: string
  /** Entries of `lifecycle.ignore_changes` as written (`tags`, `all`). */
  ignoreChanges: string[]
}

export interface SourceFile {
  path: string
  text: string
}

/** What Trueup reads of one module directory. Broken files are listed and otherwise taken for what can be found in them. */
export interface ModuleSource {
  files: SourceFile[]
  modules: ModuleCall[]
  /** Type of the `backend` block, `cloud`, or null where the code has none. */
  backend: string | null
  /** What stands in the `backend` or `cloud` block. */
  backendSettings: Block
  /** The `terraform` blocks as JSON, for the key of a finished `init`. */
  settings: Block[]
  resources: ResourceBlock[]
  /** Addresses of `moved`, `removed` and `import` blocks as written. */
  moves: { from: string; to: string }[]
  removed: string[]
  imports: string[]
  hasProvider: boolean
  /** A root variable is `ephemeral`: no plan file keeps its value. */
  hasEphemeral: boolean
  /** Root variables declared `sensitive` (or `ephemeral`, which no plan file names), with their defaults. */
  sensitiveVariables: { name: string; default: unknown }[]
  broken: { path: string; why: string }[]
}

type Block = { [name: string]: unknown }

const SOURCE_FILE = /\.(tf|tofu)(\.json)?$/
export const isSourceFile = (path: string): boolean => SOURCE_FILE.test(path)
export const isJson = (path: string): boolean => path.endsWith('.json')

/** Paths of the source files directly in a directory, sorted (a module is one directory, never its subdirectories). */
export async function sourcePaths(list: ListFiles, directory: string): Promise<string[]> {
  const here = directory === '' ? '.' : directory
  return (await list(here)).filter((path) => isSourceFile(path) && posix.dirname(path) === here).toSorted()
}

/** These files with their texts. */
export async function sourceFiles(read: ReadFile, list: ListFiles, directory: string): Promise<SourceFile[]> {
  const paths = await sourcePaths(list, directory)
  return await Promise.all(paths.map(async (path) => ({ path, text: (await read(path))?.toString('utf8') ?? '' })))
}

/** Reads a module: HCL by hcl2json (Go's own parser as WebAssembly, about 80 ms to load once, 0.3 ms a file). */
export async function readModule(files: ModuleSource['files']): Promise<ModuleSource> {
  const module: ModuleSource = {
    files,
    modules: [],
    backend: null,
    backendSettings: {},
    settings: [],
    resources: [],
    moves: [],
    removed: [],
    imports: [],
    hasProvider: false,
    hasEphemeral: false,
    sensitiveVariables: [],
    broken: [],
  }
  for (const file of files) {
    const tree = await parseFile(file.path, file.text)
    if ('why' in tree) {
      module.broken.push({ path: file.path, why: tree.why })
      module.modules.push(...guessModules(file.text))
      continue
    }
    addFile(module, tree.tree)
  }
  return module
}

function addFile(module: ModuleSource, tree: Block): void {
  for (const [name, body] of labelled(tree.module)) {
    module.modules.push({ name, source: literal(body.source), version: literal(body.version) })
  }
  for (const settings of bodies(tree.terraform)) {
    module.settings.push(settings)
    const [backend] = labelled(settings.backend)
    if (backend !== undefined) [module.backend, module.backendSettings] = backend
    else if (settings.cloud !== undefined)
      [module.backend, module.backendSettings] = ['cloud', bodies(settings.cloud)[0] ?? {}]
  }
  for (const block of bodies(tree.resource)) {
    for (const [type, named] of Object.entries(block)) {
      for (const [name, body] of labelled(named)) {
        module.resources.push({ type, name, ignoreChanges: ignoredAlready(body) })
      }
    }
  }
  for (const { from, to } of bodies(tree.moved)) module.moves.push({ from: expression(from), to: expression(to) })
  for (const { from } of bodies(tree.removed)) module.removed.push(expression(from))
  for (const { to } of bodies(tree.import)) module.imports.push(expression(to))
  for (const [name, variable] of labelled(tree.variable)) {
    if (variable.ephemeral === true) module.hasEphemeral = true
    if (variable.ephemeral === true || variable.sensitive === true)
      module.sensitiveVariables.push({ name, default: variable.default })
  }
  if (tree.provider !== undefined) module.hasProvider = true
}

/** An address comes as `${type.name}` of HCL, and bare of JSON. */
const expression = (value: unknown): string => (typeof value === 'string' ? value.replace(/^\$\{(.*)\}$/s, '$1') : '')

/** The settings of a file for `-backend-config=FILE`; nothing where it does not parse. */
export async function readSettings(path: string, text: string): Promise<Block> {
  const read = await parseFile(path, text)
  return 'tree' in read ? read.tree : {}
}

function ignoredAlready(resource: Block): string[] {
  return bodies(resource.lifecycle).flatMap(({ ignore_changes: entries }) =>
    (Array.isArray(entries) ? entries : entries === undefined ? [] : [entries])
      .filter((entry): entry is string => typeof entry === 'string')
      .map((entry) => entry.replace(/^\$\{(.*)\}$/s, '$1')),
  )
}

/** The tree of a file in either syntax of the language: source, or values of variables. */
export async function parseFile(path: string, text: string): Promise<{ tree: Block } | { why: string }> {
  try {
    if (isJson(path)) return { tree: JSON.parse(text) as Block }
    const { parse } = await import('@cdktn/hcl2json')
    return { tree: (await parse(posix.basename(path), text)) as Block }
  } catch (thrown) {
    return { why: thrown instanceof Error ? thrown.message : String(thrown) }
  }
}

/** Module sources of a file that does not parse: better one too many in the desired digest than one too few. */
function guessModules(text: string): ModuleCall[] {
  return [...text.matchAll(/"?source"?\s*[=:]\s*"([^"$]+)"/g)].map((match) => ({
    name: '',
    source: match[1] ?? null,
    version: null,
  }))
}

/** Bodies of an unlabelled block: both syntaxes allow one object or a list of them. */
function bodies(value: unknown): Block[] {
  if (Array.isArray(value)) return value.flatMap(bodies)
  return value !== null && typeof value === 'object' ? [value as Block] : []
}

/** Bodies of a block with one label. */
function labelled(value: unknown): [string, Block][] {
  return bodies(value).flatMap((block) =>
    Object.entries(block).flatMap(([label, inner]) => bodies(inner).map((body): [string, Block] => [label, body])),
  )
}

function literal(value: unknown): string | null {
  return typeof value === 'string' && !value.includes('${') ? value : null
}
