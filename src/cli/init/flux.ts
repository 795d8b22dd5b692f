import { environmentSegment } from '../../domain/stacks/environment-names.ts'
import { type Claim, directoryOf } from './claim.ts'
import { type Fields, fields, list, type Manifest, text } from './manifests.ts'

/** What a Flux Kustomization does beyond `kustomize build | kubectl apply`, and a Kubernetes stack does not. */
const BEYOND = [
  'postBuild',
  'targetNamespace',
  'components',
  'patches',
  'images',
  'decryption',
  'namePrefix',
  'nameSuffix',
  'commonMetadata',
  'kubeConfig',
]

/** Directories that Flux Kustomizations of this repository deploy. */
export function fluxClaims(manifests: readonly Manifest[]): Claim[] {
  const kustomizations = manifests.filter(({ apiVersion, kind, spec }) => {
    const source = text(fields(spec['sourceRef'])['kind'])
    return (
      apiVersion.startsWith('kustomize.') &&
      kind === 'Kustomization' &&
      source !== 'OCIRepository' &&
      source !== 'Bucket'
    )
  })
  const releases = manifests.filter(({ kind }) => kind === 'HelmRelease')
  const flux = manifests.filter(({ kind }) => kind === 'Kustomization')
  return kustomizations.map(({ file, name, spec }): Claim => {
    const path = pathOf(spec, manifests)
    const within = (one: Manifest): boolean => path === '.' || one.file.startsWith(`${path}/`)
    const beyond = BEYOND.filter((key) => spec[key] !== undefined)
    const claim = { by: 'Flux', path, file } as const
    if (beyond.length > 0) return { ...claim, stack: null, why: `Flux's ${beyond.join(', ')} has no equal here` }
    const inner = flux.filter((one) => one.file !== file && within(one)).length
    if (inner > 0)
      return { ...claim, stack: null, why: `it holds ${inner} Kustomizations of Flux, each a claim of its own` }
    const charts = releases.filter(within).length
    if (charts > 0)
      return {
        ...claim,
        stack: null,
        why: `it holds ${charts} HelmReleases, which only Flux renders: write a stack for each chart`,
      }
    const environment = environmentSegment(path)?.name ?? environmentSegment(file)?.name
    const needs = list(spec['dependsOn']).flatMap((one) => text(fields(one)['name']) ?? [])
    return {
      ...claim,
      why: '',
      stack: {
        driver: 'kubernetes',
        path,
        ...(environment !== undefined && { environment }),
        why: `Flux Kustomization ${name} of ${file}${needs.length > 0 ? `, after ${needs.join(', ')}` : ''}`,
        confidence: 'likely',
        ...(spec['prune'] === false && { with: { prune: false } }),
      },
    }
  })
}

/** Directories that `flux bootstrap` was given: what lies in them is applied, whatever else says so. */
export function bootstrapped(files: readonly string[]): Claim[] {
  return files.flatMap((file): Claim[] => {
    const path = /^(?:(.+)\/)?flux-system\/gotk-(?:sync|components)\.yaml$/.exec(file)
    if (path === null) return []
    const why = "it is what Flux itself is told by, and Trueup's stacks stand for the Kustomizations in it"
    return [{ by: 'Flux', path: path[1] ?? '.', file, stack: null, why }]
  })
}

/** The directory in this repository: an artifact that a generator puts together has paths of its own. */
function pathOf(spec: Fields, manifests: readonly Manifest[]): string {
  const path = directoryOf(text(spec['path']) ?? '.')
  const source = fields(spec['sourceRef'])
  if (source['kind'] !== 'ExternalArtifact') return path
  const copies = manifests
    .filter(({ kind }) => kind === 'ArtifactGenerator')
    .flatMap((one) => list(one.spec['artifacts']).map(fields))
    .filter(({ name }) => name === source['name'])
    .flatMap(({ copy }) => list(copy).map(fields))
  for (const { from, to } of copies) {
    const [origin, target] = [from, to].map((each) =>
      directoryOf((text(each) ?? '').replace(/^@[^/]+\/?/, '').replace(/\/?\*+$/, '')),
    )
    if (target === '.' || path === target || path.startsWith(`${target}/`))
      return directoryOf(`${origin}/${target === '.' ? path : path.slice(target!.length)}`)
  }
  return path
}
