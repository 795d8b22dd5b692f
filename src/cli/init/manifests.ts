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
export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const MAX_BYTES = 1024 * 1024

/** Objects of these API groups in all YAML files of a repository. What is broken or templated is passed over. */
export async function manifestsOf(tree: WorkingTree, groups: readonly string[]): Promise<Manifest[]> {
  const found: Manifest[] = []
  for (const file of tree.files) {
    if (!/\.ya?ml$/.test(file)) continue
    const content = await tree.read(file)
    if (content === null || content.length > MAX_BYTES) continue
    const source = content.toString('utf8')
    // A repository has thousands of files, and few of them hold such objects.
    if (!groups.some((group) => source.includes(group))) continue
    for (const document of [parseAllDocuments(source, { logLevel: 'silent' })].flat()) {
      if (!('contents' in document) || document.errors.length > 0) continue
      const value = fields(document.toJS({ maxAliasCount: 100 }))
      const [apiVersion, kind, metadata] = [text(value['apiVersion']), text(value['kind']), fields(value['metadata'])]
      if (apiVersion === undefined || kind === undefined || !groups.some((group) => apiVersion.startsWith(`${group}/`)))
        continue
      const namespace = text(metadata['namespace'])
      const name = text(metadata['name']) ?? ''
      found.push({
        file,
        apiVersion,
        kind,
        name,
        ...(namespace !== undefined && { namespace }),
        spec: fields(value['spec']),
      })
    }
  }
  return found
}
