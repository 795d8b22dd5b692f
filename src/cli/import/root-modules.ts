import { posix } from 'node:path'
import { DRIVERS } from '../../drivers/registry.ts'
import type { WorkingTree } from '../local/working-tree.ts'

/** Directories that hold a root module of Terraform or OpenTofu. */
export async function rootModules(tree: WorkingTree): Promise<string[]> {
  const { stacks } = await DRIVERS.get('terraform')!.detect(tree.files, tree.read)
  return [...new Set(stacks.map(({ path }) => path))].toSorted()
}

/** Directories that hold a Terragrunt unit, but for the one at the top that others include. */
export const terragruntUnits = (tree: WorkingTree): string[] =>
  tree.files
    .filter((path) => posix.basename(path) === 'terragrunt.hcl' && posix.dirname(path) !== '.')
    .map((path) => posix.dirname(path))
    .toSorted()
