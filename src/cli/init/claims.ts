import type { WorkingTree } from '../local/working-tree.ts'
import { argoClaims } from './argo-cd.ts'
import { argoValues } from './argo-values.ts'
import type { Claim } from './claim.ts'
import { bootstrapped, fluxClaims } from './flux.ts'
import { manifestsOf } from './manifests.ts'

/** What Flux and Argo CD deploy of a repository. Only directories that it has count: other repositories are others' matter. */
export async function deployedAlready(tree: WorkingTree): Promise<Claim[]> {
  const there = new Set(['.', ...tree.directories])
  const flux = await manifestsOf(tree, [
    'kustomize.toolkit.fluxcd.io',
    'helm.toolkit.fluxcd.io',
    'source.extensions.fluxcd.io',
  ])
  const argo = [...(await manifestsOf(tree, ['argoproj.io'])), ...(await argoValues(tree))]
  const claims = [...bootstrapped(tree.files), ...fluxClaims(flux), ...argoClaims(argo, [...there])]
  return claims.filter(({ path }) => there.has(path))
}
