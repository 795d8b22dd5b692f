import { parseDocument } from 'yaml'
import { TrueupError } from '../../lib/errors/error.ts'
import { type Fields, fields } from '../init/manifests.ts'
import type { WorkingTree } from '../local/working-tree.ts'

/** The mapping of a YAML file. Throws INVALID_REQUEST with the place where it is none. */
export async function documentOf(tree: WorkingTree, file: string): Promise<Fields> {
  const source = (await tree.read(file))?.toString('utf8') ?? ''
  const document = parseDocument(source, { logLevel: 'silent' })
  const [error] = document.errors
  if (error === undefined) return fields(document.toJS({ maxAliasCount: 100 }))
  throw new TrueupError('INVALID_REQUEST', {
    doing: `reading ${file}`,
    why: error.message.split('\n')[0] ?? 'it is no YAML',
    next: 'Mend the file, or leave its tool out with --from.',
  })
}
