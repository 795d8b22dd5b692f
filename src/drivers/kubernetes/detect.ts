import { posix } from 'node:path'
import type { ReadFile, StackProposal } from '../driver.ts'
import { deployersIn } from './detect-deployers.ts'
import { isKustomization, readKustomization } from './source/kustomization.ts'
import { isManifestFile } from './source/plain.ts'

/** What somebody else made, what is tested or shown with, and what is a part of something. */
const NOT_DEPLOYED =
  /(^|\/)(vendor|node_modules|third[_-]party|testdata|tests?|e2e|fixtures|examples?|samples?|docs?|hack|templates|\.[^/]+)(\/|$)/i
/** Texts of this form that no API server takes: kubeconfigs, settings of tools. */
const NOT_OBJECTS =
  /^(v1\/Config|(skaffold|backstage\.io|kind\.x-k8s\.io|k3d\.io|eksctl\.io|ctlptl\.dev|kubeadm\.k8s\.io|kubelet\.config\.k8s\.io|kustomize\.config\.k8s\.io|audit\.k8s\.io|apiserver\.(config\.)?k8s\.io|kubescheduler\.config\.k8s\.io|krew\.googlecontainertools\.github\.com|helm\.sh)\/.*)$/
/** One of these shows that a directory is for a cluster; what Flux and Argo CD are told is for no other. */
const BUILT_IN =
  /^(v1|apps\/|batch\/|autoscaling\/|policy\/|[\w.]+\.k8s\.io\/|[\w.]+\.toolkit\.fluxcd\.io\/|argoproj\.io\/)/
/** The head of a file says what it is. */
const HEAD = 256 * 1024

/**
 * Stacks of a repository: charts that are no library and no part of another; kustomizations that no other one uses;
 * directories in which every YAML and JSON file holds objects, the topmost of each. What Flux or Argo CD deploys with settings
 * of its own is left to it: the directory alone would give other objects.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<StackProposal[]> {
  const deployers = await deployersIn(files, read)
  const charts = await chartsIn(files, read)
  const kustomized = await kustomizedIn(files, read)
  const taken = [...charts.all, ...kustomized.all]
  const plain = await plainIn(
    files.filter((file) => !taken.some((directory) => isBelow(directory, file)) && !kustomized.used.has(file)),
    read,
  )
  const paths = new Set([...charts.roots, ...kustomized.roots, ...plain])
  return [...paths].toSorted().map((path): StackProposal => {
    const leftTo = deployers.leftTo(path)
    if (leftTo !== null) return { path, leftTo }
    const namespace = deployers.namespaceOf(path)
    // A plain directory is read with all that lies below it.
    const inner = plain.includes(path) ? taken.filter((directory) => isBelow(path, directory)) : []
    const outer = inner.filter((one) => !inner.some((other) => isBelow(other, one)))
    const exclude = outer.map((directory) => `${posix.relative(path, directory)}/**`).toSorted()
    const settings = { ...(namespace !== undefined && { namespace }), ...(exclude.length > 0 && { exclude }) }
    return { path, ...(Object.keys(settings).length > 0 && { with: settings }) }
  })
}

interface Found {
  roots: string[]
  all: string[]
}

async function chartsIn(files: readonly string[], read: ReadFile): Promise<Found> {
  const all = files.filter((file) => posix.basename(file) === 'Chart.yaml').map((file) => posix.dirname(file))
  const own = all.filter(
    (directory) => !NOT_DEPLOYED.test(directory) && !all.some((other) => isBelow(other, directory)),
  )
  const roots: string[] = []
  for (const directory of own) {
    const text = (await read(posix.join(directory, 'Chart.yaml')))?.toString('utf8') ?? ''
    if (!/^type:\s*["']?library/m.test(text) && /^name:/m.test(text)) roots.push(directory)
  }
  return { roots, all }
}

async function kustomizedIn(files: readonly string[], read: ReadFile): Promise<Found & { used: Set<string> }> {
  const all = files.filter(isKustomization).map((file) => posix.dirname(file))
  const used = new Set<string>()
  const components = new Set<string>()
  for (const directory of all) {
    const references = await readKustomization(read, directory)
    for (const path of references?.paths ?? [])
      used.add(posix.normalize(posix.join(directory, path)).replace(/\/$/, ''))
    if (references?.isComponent) components.add(directory)
  }
  const roots = all.filter(
    (directory) => !NOT_DEPLOYED.test(directory) && !used.has(directory) && !components.has(directory),
  )
  return { roots, all, used }
}

async function plainIn(files: readonly string[], read: ReadFile): Promise<string[]> {
  const candidates = files.filter((file) => isManifestFile(file) && !NOT_DEPLOYED.test(posix.dirname(file)))
  const verdicts = new Map<string, 'object' | 'custom' | 'other'>()
  for (const file of candidates) verdicts.set(file, await judge(file, read))
  const directories = new Set(candidates.map((file) => posix.dirname(file)).filter((directory) => directory !== '.'))
  const fit = [...directories].filter((directory) => {
    const below = candidates.filter((file) => isBelow(directory, file)).map((file) => verdicts.get(file))
    return below.every((verdict) => verdict !== 'other') && below.includes('object')
  })
  return fit.filter((directory) => !fit.some((other) => isBelow(other, directory)))
}

async function judge(file: string, read: ReadFile): Promise<'object' | 'custom' | 'other'> {
  const text = (await read(file))?.subarray(0, HEAD).toString('utf8') ?? ''
  const isJson = text.trimStart().startsWith('{')
  const version = (isJson ? /"apiVersion"\s*:\s*"([^"]+)"/ : /^apiVersion:\s*["']?([\w./-]+)/m).exec(text)?.[1]
  const kind = (isJson ? /"kind"\s*:\s*"([^"]+)"/ : /^kind:\s*["']?(\w+)/m).exec(text)?.[1]
  if (version === undefined || kind === undefined || NOT_OBJECTS.test(`${version}/${kind}`)) return 'other'
  return BUILT_IN.test(version) ? 'object' : 'custom'
}

const isBelow = (directory: string, path: string): boolean =>
  directory === '.' ? path !== '.' : path.startsWith(`${directory}/`)
