import { posix } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { compileGlob, globProblem } from '../../domain/glob.ts'
import type { ReadFile } from '../driver.ts'
import { groupOf, isObject, valueAt } from './objects/object.ts'
import { isManifestFile } from './source/plain.ts'

/** What Flux and Argo CD deploy of a repository, as its own files say. */
export interface Deployers {
  /** Who deploys a directory and not only what stands in it: its settings are no part of the directory. Null: nobody. */
  leftTo(directory: string): string | null
  /** Namespace that an Application gives to what names none; undefined where none or several do. */
  namespaceOf(directory: string): string | undefined
}

interface Flux {
  file: string
  path: string
}

interface Generated {
  name: string
  matches: (directory: string) => boolean
}

interface Found {
  flux: Flux[]
  namespaces: Map<string, Set<string>>
  /** Directories with settings of an Application that change what is rendered. */
  changed: Map<string, string>
  generated: Generated[]
}

/** The head of the file says what it is; a chart's templates and broken YAML say nothing. */
const CARRIES_OUT = /\b(kustomize\.toolkit\.fluxcd\.io|argoproj\.io)\//

export async function deployersIn(files: readonly string[], read: ReadFile): Promise<Deployers> {
  const found: Found = { flux: [], namespaces: new Map(), changed: new Map(), generated: [] }
  for (const file of files.filter(isManifestFile)) {
    const text = (await read(file))?.toString('utf8') ?? ''
    if (!CARRIES_OUT.test(text)) continue
    for (const document of parsed(text)) note(file, document, found)
  }
  return {
    leftTo(directory) {
      const kustomization = found.flux.find(
        ({ file, path }) => isIn(path, directory) && !isIn(directory, posix.dirname(file)),
      )
      if (kustomization) return `Flux (${kustomization.file})`
      const application = found.changed.get(directory)
      if (application !== undefined) return `Argo CD (Application ${application})`
      const set = found.generated.find(({ matches }) => matches(directory))
      return set === undefined ? null : `Argo CD (ApplicationSet ${set.name})`
    },
    namespaceOf(directory) {
      const all = [...(found.namespaces.get(directory) ?? [])]
      return all.length === 1 ? all[0] : undefined
    },
  }
}

function parsed(text: string): unknown[] {
  try {
    const documents = parseAllDocuments(text, { version: '1.1', logLevel: 'silent' })
    return 'empty' in documents ? [] : documents.filter(({ errors }) => errors.length === 0).map((one) => one.toJS())
  } catch {
    return []
  }
}

function note(file: string, object: unknown, found: Found): void {
  if (!isObject(object) || typeof object.apiVersion !== 'string') return
  const group = groupOf(object.apiVersion)
  const name = String(valueAt(object, 'metadata', 'name'))
  if (group === 'kustomize.toolkit.fluxcd.io' && object.kind === 'Kustomization') {
    const path = valueAt(object, 'spec', 'path')
    found.flux.push({ file, path: normal(typeof path === 'string' ? path : '.') })
  }
  if (group !== 'argoproj.io') return
  if (object.kind === 'Application') {
    const namespace = valueAt(object, 'spec', 'destination', 'namespace')
    for (const source of sourcesOf(valueAt(object, 'spec'))) {
      const { path, ...rest } = source
      if (typeof path !== 'string') continue
      const directory = normal(path)
      if (CHANGES.some((setting) => rest[setting] !== undefined)) found.changed.set(directory, name)
      if (typeof namespace === 'string')
        found.namespaces.set(directory, (found.namespaces.get(directory) ?? new Set()).add(namespace))
    }
  }
  if (object.kind === 'ApplicationSet') found.generated.push({ name, matches: matcherOf(object) })
}

/** Settings of a source by which Argo CD renders something else than what the directory says. */
const CHANGES = ['kustomize', 'helm', 'plugin', 'directory']

function sourcesOf(spec: unknown): { [name: string]: unknown }[] {
  const several = valueAt(spec, 'sources')
  return [valueAt(spec, 'source'), ...(Array.isArray(several) ? several : [])].filter(isObject)
}

/** What `{{path}}` and other parameters of a template may stand for; directories that a generator finds in Git. */
function matcherOf(set: unknown): (directory: string) => boolean {
  const paths = sourcesOf(valueAt(set, 'spec', 'template', 'spec')).flatMap(({ path }) =>
    typeof path === 'string' ? [path] : [],
  )
  const globs = paths.map((path) => normal(path.replaceAll(/\{\{.*?\}\}/g, '*')))
  const own = globs.filter((glob) => glob !== '*')
  const listed = own.length === globs.length ? own : [...own, ...gitDirectories(valueAt(set, 'spec', 'generators'))]
  const matchers = listed.filter((glob) => globProblem(glob) === null).map((glob) => compileGlob(glob))
  return (directory) => matchers.some((matches) => matches(directory))
}

/** `git.directories[].path` of generators, also of those inside of `matrix` and `merge`. */
function gitDirectories(generators: unknown): string[] {
  if (!Array.isArray(generators)) return []
  return (generators as unknown[]).flatMap((generator) => {
    const directories = valueAt(generator, 'git', 'directories')
    const listed = Array.isArray(directories) ? (directories as unknown[]).filter(isObject) : []
    const own = listed.flatMap(({ path, exclude }) => (typeof path === 'string' && exclude !== true ? [path] : []))
    const inner = ['matrix', 'merge'].flatMap((name) => gitDirectories(valueAt(generator, name, 'generators')))
    return [...own.map(normal), ...inner]
  })
}

const normal = (path: string): string => posix.normalize(path.replace(/^\/+/, '') || '.').replace(/\/$/, '')

/** Whether `path` is the directory or lies below it. */
const isIn = (directory: string, path: string): boolean =>
  directory === '.' || path === directory || path.startsWith(`${directory}/`)
