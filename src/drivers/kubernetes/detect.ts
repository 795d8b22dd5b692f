import { posix } from 'node:path'
import type { ReadFile } from '../driver.ts'
import { byPath, type Detected, type Proposal } from '../proposal.ts'
import { chartStacks } from './chart-stacks.ts'
import { isKustomization, readKustomization } from './source/kustomization.ts'
import { isManifestFile } from './source/plain.ts'

/** What somebody else made, what is tested or shown with, and what is a part of something. */
const NOT_DEPLOYED =
  /(^|\/)(vendor|node_modules|third[_-]party|testdata|tests?|e2e|fixtures|examples?|samples?|docs?|hack|templates|roles|\.[^/]+)(\/|$)/i
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
 * directories in which every YAML and JSON file holds objects, the topmost of each.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<Detected> {
  const charts = await chartsIn(files, read)
  const kustomized = await kustomizedIn(files, read)
  const taken = [...charts.all, ...kustomized.all]
  const plain = await plainIn(
    files.filter((file) => !taken.some((directory) => isBelow(directory, file)) && !kustomized.used.has(file)),
    read,
  )
  // A directory that is both is proposed as the chart that it is.
  const isChart = new Set(charts.stacks.map(({ path }) => path))
  const others = [...kustomized.stacks, ...plain.map((stack) => withoutInner(stack, taken))].filter(
    ({ path }) => !isChart.has(path),
  )
  return {
    stacks: [...charts.stacks, ...others].toSorted(byPath),
    leftOut: [...charts.leftOut, ...kustomized.leftOut].toSorted(byPath),
  }
}

/** A plain directory is read with all that lies below it: charts and kustomizations there are no manifests of it. */
function withoutInner(stack: Proposal, taken: readonly string[]): Proposal {
  const inner = taken.filter((directory) => isBelow(stack.path, directory))
  const outer = inner.filter((one) => !inner.some((other) => isBelow(other, one)))
  const exclude = outer.map((directory) => `${posix.relative(stack.path, directory)}/**`).toSorted()
  return exclude.length === 0 ? stack : { ...stack, with: { ...stack.with, exclude } }
}

interface Found extends Detected {
  all: string[]
}

const PART = 'vendored, a test, an example or a part of something'

async function chartsIn(files: readonly string[], read: ReadFile): Promise<Found> {
  const all = files.filter((file) => posix.basename(file) === 'Chart.yaml').map((file) => posix.dirname(file))
  const found: Found = { all, stacks: [], leftOut: [] }
  for (const path of all) {
    const text = (await read(posix.join(path, 'Chart.yaml')))?.toString('utf8') ?? ''
    const whole = all.find((other) => isBelow(other, path))
    if (whole !== undefined) found.leftOut.push({ path, why: `a part of the chart ${whole}` })
    else if (NOT_DEPLOYED.test(path)) found.leftOut.push({ path, why: PART })
    else if (/^type:\s*["']?library/m.test(text)) found.leftOut.push({ path, why: 'a library chart' })
    else if (/^name:/m.test(text)) found.stacks.push(...chartStacks(path, files))
  }
  return found
}

async function kustomizedIn(files: readonly string[], read: ReadFile): Promise<Found & { used: Set<string> }> {
  const all = files.filter(isKustomization).map((file) => posix.dirname(file))
  const found: Found & { used: Set<string> } = { all, used: new Set(), stacks: [], leftOut: [] }
  const users = new Map<string, string>()
  const components = new Set<string>()
  for (const directory of all) {
    const references = await readKustomization(read, directory)
    // What only a test or an example is built on is still something that may be deployed.
    if (NOT_DEPLOYED.test(directory)) continue
    for (const path of references?.paths ?? []) {
      const used = posix.normalize(posix.join(directory, path)).replace(/\/$/, '')
      found.used.add(used)
      users.set(used, directory)
    }
    if (references?.isComponent) components.add(directory)
  }
  for (const path of all) {
    if (users.has(path)) found.leftOut.push({ path, why: `${users.get(path)} uses it` })
    else if (components.has(path)) found.leftOut.push({ path, why: 'a component' })
    else if (NOT_DEPLOYED.test(path)) found.leftOut.push({ path, why: PART })
    else found.stacks.push({ path, why: 'kustomization' })
  }
  return found
}

async function plainIn(files: readonly string[], read: ReadFile): Promise<Proposal[]> {
  const candidates = files.filter((file) => isManifestFile(file) && !NOT_DEPLOYED.test(posix.dirname(file)))
  const verdicts = new Map<string, 'object' | 'custom' | 'other'>()
  for (const file of candidates) verdicts.set(file, await judge(file, read))
  const directories = new Set(candidates.map((file) => posix.dirname(file)).filter((directory) => directory !== '.'))
  const fit = [...directories].filter((directory) => {
    const below = candidates.filter((file) => isBelow(directory, file)).map((file) => verdicts.get(file))
    return below.every((verdict) => verdict !== 'other') && below.includes('object')
  })
  const topmost = fit.filter((directory) => !fit.some((other) => isBelow(other, directory)))
  return topmost.map((path) => ({ path, why: 'manifests' }))
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
