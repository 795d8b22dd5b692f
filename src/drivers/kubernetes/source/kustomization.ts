import { posix } from 'node:path'
import { parse } from 'yaml'
import type { ReadFile } from '../../driver.ts'
import { KUSTOMIZATIONS } from './locate.ts'

/** What a kustomization refers to, relative to its directory. */
export interface References {
  /** Files and directories: resources, bases, components, patches, generators' files. */
  paths: string[]
  /** It is a part of others and never deployed by itself. */
  isComponent: boolean
}

export const isKustomization = (path: string): boolean => KUSTOMIZATIONS.includes(posix.basename(path))

/** Lists of paths (https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/). */
const LISTS = [
  'resources',
  'bases',
  'components',
  'crds',
  'configurations',
  'transformers',
  'generators',
  'validators',
  'patchesStrategicMerge',
]
/** Lists of objects with a path. */
const WITH_PATH = ['patches', 'patchesJson6902', 'replacements']
const GENERATORS = ['configMapGenerator', 'secretGenerator']

/** The kustomization of a directory, or null where there is none. */
export async function readKustomization(read: ReadFile, directory: string): Promise<References | null> {
  for (const name of KUSTOMIZATIONS) {
    const text = await read(posix.join(directory, name))
    if (text !== null) return referencesIn(text.toString('utf8'))
  }
  return null
}

/** Broken YAML refers to nothing: rendering says what is wrong with it. */
export function referencesIn(text: string): References {
  const all = record(parseQuietly(text))
  const paths = LISTS.flatMap((name) => texts(all[name]))
  for (const name of WITH_PATH) for (const item of list(all[name])) paths.push(...texts([record(item).path]))
  for (const name of GENERATORS) {
    for (const item of list(all[name])) {
      const { files, env, envs } = record(item)
      // `key=path` names the key.
      paths.push(...texts(files).map((file) => file.slice(file.indexOf('=') + 1)), ...texts([env]), ...texts(envs))
    }
  }
  paths.push(...texts([record(all.openapi).path]))
  return { paths: paths.filter(isLocal), isComponent: all.kind === 'Component' }
}

/** Inline patches hold line breaks, remote bases a scheme, a host or a query. */
const isLocal = (path: string): boolean =>
  path !== '' &&
  !path.includes('\n') &&
  !/^[\w.-]+@|:\/\/|\?(ref|version)=|^git::|^[\w-]+\.[\w.-]+\.?\w+\/\/?[\w-]+\/[\w-]+\/\//.test(path)

const record = (value: unknown): { [name: string]: unknown } =>
  typeof value === 'object' && value !== null ? (value as { [name: string]: unknown }) : {}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const texts = (value: unknown): string[] => list(value).filter((item) => typeof item === 'string')

function parseQuietly(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}
