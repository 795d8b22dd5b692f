import { posix } from 'node:path'
import { parse } from 'yaml'
import type { ListFiles, ReadFile } from '../driver.ts'
import type { KubernetesConfig } from './config.ts'
import { isKustomization, readKustomization, referencesIn } from './source/kustomization.ts'
import { HELM_DEFAULTS, pathInRepository } from './source/locate.ts'
import { isWithin, withoutCovered } from '../paths/inside.ts'

/**
 * Paths outside the stack's own directory that it is rendered from: the bases, components, patches and files of
 * kustomizations (and what those use in turn), value files, a chart elsewhere in the repository and the local charts that it
 * depends on. PATH_OUTSIDE for a setting that leaves the repository. Each directory is read once, so a circle ends.
 */
export async function dependencies(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: KubernetesConfig,
): Promise<string[]> {
  const root = pathInRepository(path)
  const found = new Set<string>()
  // Which environment it is for is not known here: all that `{environment}` may stand for count.
  const [fixed = '.'] = config.directory.split('{environment}')
  const isOpen = config.directory.includes('{environment}')
  const start = pathInRepository(root, isOpen ? posix.dirname(`${fixed}x`) : config.directory)
  if (start !== root) found.add(start)
  const visited = new Set<string>()
  if (config.helm !== undefined || config.render === 'helm' || (await has(read, start, 'Chart.yaml'))) {
    const { chart, repo, valueFiles } = config.helm ?? HELM_DEFAULTS
    for (const file of valueFiles) {
      const whole = file.includes('{environment}')
        ? posix.dirname(file.slice(0, file.indexOf('{environment}')) + 'x')
        : file
      found.add(pathInRepository(root, whole))
    }
    if (!chart.startsWith('oci://') && repo === undefined)
      await visitChart({ read, found, visited }, pathInRepository(start, chart))
  } else if (isOpen) {
    const overlays = (await list(start)).filter(isKustomization)
    for (const file of overlays) await visitKustomization({ read, found, visited }, posix.dirname(file))
  } else await visitKustomization({ read, found, visited }, start)
  return withoutCovered([...found].filter((one) => !isWithin(root, one)))
}

/** Only what refers to other paths can change the answer, and only where it refers to others than before. */
export async function dependencyChanges(
  before: ReadFile,
  after: ReadFile,
  changed: readonly string[],
): Promise<string[]> {
  const referring = changed.filter((path) => isKustomization(path) || posix.basename(path) === 'Chart.yaml')
  const same = await Promise.all(
    referring.map(async (path) => {
      const texts = await Promise.all([before(path), after(path)])
      const [old, now] = texts.map((text) => text?.toString('utf8') ?? '') as [string, string]
      const references = (text: string): string =>
        JSON.stringify(isKustomization(path) ? referencesIn(text) : localCharts(text))
      return references(old) === references(now)
    }),
  )
  return referring.filter((_path, at) => !same[at])
}

interface Walk {
  read: ReadFile
  found: Set<string>
  visited: Set<string>
}

async function visitKustomization(walk: Walk, directory: string): Promise<void> {
  if (walk.visited.has(directory)) return
  walk.visited.add(directory)
  const references = await readKustomization(walk.read, directory)
  for (const path of references?.paths ?? []) {
    const target = inRepository(directory, path)
    if (target === null) continue
    walk.found.add(target)
    await visitKustomization(walk, target)
  }
}

async function visitChart(walk: Walk, directory: string): Promise<void> {
  if (walk.visited.has(directory)) return
  walk.visited.add(directory)
  walk.found.add(directory)
  const text = (await walk.read(posix.join(directory, 'Chart.yaml')))?.toString('utf8')
  for (const path of localCharts(text ?? '')) {
    const target = inRepository(directory, path)
    if (target !== null) await visitChart(walk, target)
  }
}

/** `repository: file://../common` of a chart's dependencies. */
function localCharts(text: string): string[] {
  const chart = parseQuietly(text) as { dependencies?: unknown } | null
  const all = Array.isArray(chart?.dependencies) ? (chart.dependencies as { repository?: unknown }[]) : []
  return all.flatMap(({ repository }) =>
    typeof repository === 'string' && repository.startsWith('file://') ? [repository.slice('file://'.length)] : [],
  )
}

/** Null for what leaves the repository, which rendering then refuses, and for the repository itself. */
function inRepository(directory: string, path: string): string | null {
  const target = posix.normalize(posix.join(directory, path)).replace(/\/$/, '')
  return target === '.' || target === '..' || target.startsWith('../') ? null : target
}

const has = async (read: ReadFile, directory: string, name: string): Promise<boolean> => {
  const path = posix.join(directory, name)
  return read.idOf ? (await read.idOf(path)) !== null : (await read(path)) !== null
}

function parseQuietly(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return null
  }
}
