import { parseAllDocuments } from 'yaml'
import type { WorkingTree } from '../local/working-tree.ts'

/** An object of a YAML file, as far as it can be read. */
export interface Manifest {
  file: string
  apiVersion: string
  kind: string
  name: string
  namespace?: string
  spec: Fields
}

export interface Fields {
  [name: string]: unknown
}

export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
export const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
/** A text, or a number as it is written in one. */
export const scalar = (value: unknown): string | undefined => (typeof value === 'number' ? String(value) : text(value))
export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const MAX_BYTES = 1024 * 1024

/** Objects of these API groups in all YAML files of a repository. What is broken or templated is passed over. */
export async function manifestsOf(tree: WorkingTree, groups: readonly string[]): Promise<Manifest[]> {
  const documents = await documentsOf(tree, groups)
  return documents.flatMap(({ file, value }) => objectsIn(value, groups).map((one) => manifest(file, one)))
}

/** Documents of all YAML files of a repository in whose text one of the words stands. What is broken is passed over. */
export async function documentsOf(
  tree: WorkingTree,
  words: readonly string[],
): Promise<{ file: string; value: unknown }[]> {
  const found: { file: string; value: unknown }[] = []
  for (const file of tree.files) {
    if (!/\.ya?ml$/.test(file)) continue
    const content = await tree.read(file)
    if (content === null || content.length > MAX_BYTES) continue
    const source = content.toString('utf8')
    // A repository has thousands of files, and few of them hold such objects.
    if (words.some((word) => source.includes(word))) found.push(...valuesOf(source).map((value) => ({ file, value })))
  }
  return found
}

/** Documents of a YAML text; those that are broken are passed over. */
export function valuesOf(source: string): unknown[] {
  const documents = [parseAllDocuments(source, { logLevel: 'silent' })].flat()
  return documents.flatMap((one) =>
    'contents' in one && one.errors.length === 0 ? [one.toJS({ maxAliasCount: 100 }) as unknown] : [],
  )
}

/** Deeper is nothing that a person wrote. */
const DEEPEST = 20

/** Objects of these groups anywhere in a value: in lists, in values of a chart, and in texts that are YAML themselves. */
function objectsIn(value: unknown, groups: readonly string[], depth = 0): Fields[] {
  if (depth > DEEPEST) return []
  if (typeof value === 'string') {
    const isYaml = value.includes('\n') && groups.some((group) => value.includes(`${group}/`))
    return isYaml ? valuesOf(value).flatMap((inner) => objectsIn(inner, groups, depth + 1)) : []
  }
  if (typeof value !== 'object' || value === null) return []
  const { apiVersion, kind } = fields(value)
  const isOne = groups.some((group) => text(apiVersion)?.startsWith(`${group}/`)) && text(kind) !== undefined
  return [
    ...(isOne ? [fields(value)] : []),
    ...Object.values(value).flatMap((inner) => objectsIn(inner, groups, depth + 1)),
  ]
}

function manifest(file: string, { apiVersion, kind, metadata, spec }: Fields): Manifest {
  const { name, namespace } = fields(metadata)
  return {
    file,
    apiVersion: text(apiVersion) ?? '',
    kind: text(kind) ?? '',
    name: text(name) ?? '',
    ...(text(namespace) !== undefined && { namespace: text(namespace)! }),
    spec: fields(spec),
  }
}
