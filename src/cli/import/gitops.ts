import type { WorkingTree } from '../local/working-tree.ts'
import type { Claim } from '../init/claim.ts'
import { deployedAlready } from '../init/claims.ts'
import { fields, manifestsOf, text } from '../init/manifests.ts'
import type { Imported, Project } from './imported.ts'

/** What Applications and ApplicationSets of the repository deploy of it; null where there are none. */
export async function importArgo(tree: WorkingTree): Promise<Imported | null> {
  return fromClaims(
    'argocd',
    (await deployedAlready(tree)).filter(({ by }) => by === 'Argo CD'),
  )
}

/** What Kustomizations of Flux in the repository deploy of it; null where there are none. */
export async function importFlux(tree: WorkingTree): Promise<Imported | null> {
  const imported = fromClaims(
    'flux',
    (await deployedAlready(tree)).filter(({ by }) => by === 'Flux'),
  )
  if (imported === null) return null
  const releases = await manifestsOf(tree, ['helm.toolkit.fluxcd.io'])
  for (const { file, kind, name, spec } of releases) {
    // Without a name it is a part of something else: a patch, defaults for others.
    if (kind !== 'HelmRelease' || name === '') continue
    const { chart, version } = fields(fields(spec['chart'])['spec'])
    const which =
      text(chart) === undefined
        ? 'its chart'
        : `the chart ${text(chart)}${text(version) === undefined ? '' : ` ${text(version)}`}`
    const values = spec['values'] === undefined ? '' : ', and move its values into a file'
    imported.noEqual.push({
      path: file,
      why: `HelmRelease ${name}: write a Kubernetes stack with \`helm:\` for ${which}${values}`,
    })
  }
  return imported
}

function fromClaims(tool: 'argocd' | 'flux', claims: readonly Claim[]): Imported | null {
  if (claims.length === 0) return null
  return {
    tool,
    files: [...new Set(claims.map(({ file }) => file))],
    projects: claims.flatMap(({ stack }): Project[] =>
      stack === null
        ? []
        : [
            {
              path: stack.path,
              driver: stack.driver,
              ...(stack.environment !== undefined && { environment: stack.environment }),
              with: stack.with ?? {},
              needs: [],
              watch: [],
              why: stack.why ?? stack.driver,
            },
          ],
    ),
    noEqual: claims.flatMap(({ stack, path, file, why }) =>
      stack === null ? [{ path, why: `${why} (${file})` }] : [],
    ),
  }
}
