import { environmentSegment } from '../../domain/stacks/environment-names.ts'
import { type Claim, directoryOf } from './claim.ts'
import { fields, list, type Manifest, text } from './manifests.ts'

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
    const path = directoryOf(text(spec['path']) ?? '.')
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
