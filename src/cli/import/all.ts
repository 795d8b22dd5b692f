import { TrueupError } from '../../lib/errors/error.ts'
import type { LeftOut } from '../../drivers/proposal.ts'
import type { WorkingTree } from '../local/working-tree.ts'
import { importAtlantis } from './atlantis.ts'
import { importDigger } from './digger.ts'
import { importArgo, importFlux } from './gitops.ts'
import type { Imported, Tool } from './imported.ts'
import { importTerrateam } from './terrateam.ts'

/** How each tool's configuration is read; null where a repository has none. */
const READERS: { readonly [tool in Tool]: (tree: WorkingTree) => Promise<Imported | null> } = {
  atlantis: importAtlantis,
  terrateam: importTerrateam,
  digger: importDigger,
  argocd: importArgo,
  flux: importFlux,
}

/** What these tools' configurations say. NOT_FOUND where the repository has none of them. */
export async function importAll(tree: WorkingTree, tools: readonly Tool[]): Promise<Imported[]> {
  const found: Imported[] = []
  for (const tool of tools) {
    const imported = await READERS[tool](tree)
    if (imported !== null) found.push({ ...imported, noEqual: unique(imported.noEqual) })
  }
  if (found.length > 0) return found
  throw new TrueupError('NOT_FOUND', {
    doing: `importing from ${tools.join(', ')}`,
    why: 'the repository has no configuration of them',
    next: 'Run `trueup init`: it proposes stacks by what the directories hold.',
  })
}

/** A workflow says the same of each of its projects. */
const unique = (all: readonly LeftOut[]): LeftOut[] => [
  ...new Map(all.map((one) => [`${one.path}\0${one.why}`, one])).values(),
]
