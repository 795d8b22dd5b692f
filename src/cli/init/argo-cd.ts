import picomatch from 'picomatch'
import { environmentSegment } from '../../domain/stacks/environment-names.ts'
import type { Json } from '../../lib/json.ts'
import { type Claim, directoryOf } from './claim.ts'
import { type Fields, fields, list, type Manifest, text } from './manifests.ts'

/** Directories that Argo CD's Applications and ApplicationSets deploy; `directories` are those of the repository. */
export function argoClaims(manifests: readonly Manifest[], directories: readonly string[]): Claim[] {
  const all = manifests.filter(({ kind }) => kind === 'Application' || kind === 'ApplicationSet')
  return manifests.flatMap((one) => {
    if (one.kind === 'Application') return applications(one).map((claim) => unlessItTells(claim, one, all))
    return one.kind === 'ApplicationSet' ? generated(one, directories) : []
  })
}

/** An app of apps deploys what tells Argo CD what to deploy: each of those is a claim of its own. */
function unlessItTells(claim: Claim, own: Manifest, all: readonly Manifest[]): Claim {
  const inner = all.filter(({ file }) => file !== own.file && (claim.path === '.' || file.startsWith(`${claim.path}/`)))
  if (inner.length === 0) return claim
  return { ...claim, stack: null, why: `it holds ${inner.length} Applications of Argo CD, each a claim of its own` }
}

function applications({ file, name, spec }: Manifest): Claim[] {
  const sources = spec['sources'] === undefined ? [fields(spec['source'])] : list(spec['sources']).map(fields)
  return sources.flatMap((source): Claim[] => {
    const path = text(source['path'])
    if (path === undefined) return []
    const claim = { by: 'Argo CD', path: directoryOf(path), file } as const
    const why = sources.length > 1 ? 'it is one of several sources of an Application' : obstacle(source)
    if (why !== null) return [{ ...claim, stack: null, why }]
    const destination = fields(spec['destination'])
    const settings = settingsOf(source, text(destination['namespace']))
    const environment = environmentSegment(claim.path)?.name ?? environmentSegment(file)?.name
    return [
      {
        ...claim,
        why: '',
        stack: {
          driver: 'kubernetes',
          path: claim.path,
          ...(environment !== undefined && { environment }),
          ...(Object.keys(settings).length > 0 && { with: settings }),
          why: `Argo CD Application ${name} of ${file}`,
          confidence: 'likely',
        },
      },
    ]
  })
}

/** What an Application asks that a Kubernetes stack does not do, in words; null where there is nothing. */
function obstacle(source: Fields): string | null {
  const helm = fields(source['helm'])
  if (source['plugin'] !== undefined) return 'a plugin of Argo CD renders it'
  const unknown = ['parameters', 'fileParameters', 'valuesObject', 'values'].filter((key) => helm[key] !== undefined)
  if (unknown.length > 0) return `its Helm ${unknown.join(', ')} stand in the Application: move them into a values file`
  if (source['kustomize'] !== undefined) return 'the Application changes the kustomization: move that into an overlay'
  const directory = fields(source['directory'])
  if (directory['jsonnet'] !== undefined) return 'it is Jsonnet'
  return list(helm['valueFiles']).some((file) => String(file).startsWith('$'))
    ? 'its values come from another source'
    : null
}

function settingsOf(source: Fields, namespace: string | undefined): { [key: string]: Json } {
  const helm = fields(source['helm'])
  const valueFiles = list(helm['valueFiles']).map(String)
  const release = text(helm['releaseName'])
  return {
    ...(namespace !== undefined && /^[a-z0-9-]{1,63}$/.test(namespace) && { namespace }),
    ...((valueFiles.length > 0 || release !== undefined) && {
      helm: { ...(valueFiles.length > 0 && { valueFiles }), ...(release !== undefined && { release }) },
    }),
  }
}

/** Directories of the Git generators of an ApplicationSet, and those that its template's path can mean. */
function generated({ file, spec }: Manifest, directories: readonly string[]): Claim[] {
  const template = fields(fields(fields(spec['template'])['spec'])['source'])
  const globs = gitDirectories(spec)
  const path = text(template['path'])
  // `apps/{{ .env }}/web`: whatever the generators put in, it is one segment or several.
  if (globs.length === 0 && path !== undefined && !/^\{\{[^}]*\}\}$/.test(path))
    globs.push(path.replaceAll(/\{\{[^}]*\}\}/g, '*'))
  const why = 'an ApplicationSet makes its Applications: one entry with a pattern can stand for them'
  return globs.flatMap((glob) => {
    const matches = picomatch(directoryOf(glob), { ignore: gitDirectories(spec, true).map(directoryOf) })
    return directories
      .filter((directory) => matches(directory))
      .map((directory): Claim => ({ by: 'Argo CD', path: directory, file, stack: null, why }))
  })
}

/** The paths of its Git generators, or those that they exclude. */
function gitDirectories(spec: Fields, excluded = false): string[] {
  const generators = list(spec['generators']).map(fields)
  const nested = generators.flatMap((one) => [
    ...list(fields(one['matrix'])['generators']).map(fields),
    ...list(fields(one['merge'])['generators']).map(fields),
  ])
  return [...generators, ...nested].flatMap((one) =>
    list(fields(one['git'])['directories']).flatMap((directory) => {
      const { path, exclude } = fields(directory)
      return (exclude === true) === excluded ? (text(path) ?? []) : []
    }),
  )
}
