import { posix } from 'node:path'
import type { WorkingTree } from '../local/working-tree.ts'
import type { Assigned } from './environments.ts'
import { fields, list, text, valuesOf } from './manifests.ts'

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/**
 * Stacks of Kubernetes with those that wait for a person: a repository often holds one application several times (plain
 * manifests, a kustomization, what a release was made of), and two stacks of one environment may not have one object.
 * Charts are rendered by nobody here, so they are taken for what they are.
 */
export async function withoutAlternatives(stacks: readonly Assigned[], tree: WorkingTree): Promise<Assigned[]> {
  const owners = new Map<string, Assigned>()
  const result: Assigned[] = []
  for (const stack of stacks) {
    const objects = stack.driver === 'kubernetes' ? await objectsOf(tree, stack.path) : new Set<string>()
    const keys = [...objects].flatMap((object) => stack.environments.map((each) => `${each} ${object}`))
    const shared = keys.filter((key) => owners.has(key))
    const other = shared.length === 0 ? undefined : owners.get(shared[0]!)
    if (other === undefined || stack.danger !== undefined) {
      for (const key of keys) if (!owners.has(key)) owners.set(key, stack)
      result.push(stack)
      continue
    }
    const [, kind, , name] = shared[0]!.split(' ')
    const many = new Set(shared.map((key) => key.replace(/^\S+ /, ''))).size
    const which = many === 1 ? `the ${kind} ${name}` : `${many} objects, the ${kind} ${name} for one,`
    result.push({
      ...stack,
      danger: `${which} of ${other.path} too: take one of the two, or both in different environments`,
    })
  }
  return result
}

/** `kind namespace name` of every object that stands in the files of a directory; namespaces may be shared. */
async function objectsOf(tree: WorkingTree, directory: string, seen = new Set<string>()): Promise<Set<string>> {
  const found = new Set<string>()
  if (seen.has(directory)) return found
  seen.add(directory)
  const file = KUSTOMIZATIONS.map((name) => posix.join(directory, name)).find((path) => tree.files.includes(path))
  if (file === undefined) {
    for (const path of plainFiles(tree, directory)) for (const one of await objectsIn(tree, path)) found.add(one)
    return found
  }
  const [kustomization] = await valuesIn(tree, file)
  const { namespace, namePrefix, nameSuffix, resources, bases } = fields(kustomization)
  for (const resource of [...list(resources), ...list(bases)].flatMap((one) => text(one) ?? [])) {
    const path = posix.join(directory, resource)
    const inner = tree.files.includes(path) ? await objectsIn(tree, path) : await objectsOf(tree, path, seen)
    for (const one of inner) {
      const [kind, own, name] = one.split(' ')
      found.add(`${kind} ${text(namespace) ?? own} ${text(namePrefix) ?? ''}${name}${text(nameSuffix) ?? ''}`)
    }
  }
  return found
}

/** Manifests of a directory without those of kustomizations and charts below it. */
function plainFiles(tree: WorkingTree, directory: string): string[] {
  const inside = (path: string): boolean => directory === '.' || path.startsWith(`${directory}/`)
  const others = tree.files
    .filter((path) => inside(path) && [...KUSTOMIZATIONS, 'Chart.yaml'].includes(posix.basename(path)))
    .map((path) => posix.dirname(path))
  if (others.includes(directory)) return []
  return tree.files.filter(
    (path) => inside(path) && /\.(ya?ml|json)$/.test(path) && !others.some((other) => path.startsWith(`${other}/`)),
  )
}

async function objectsIn(tree: WorkingTree, path: string): Promise<Set<string>> {
  const values = await valuesIn(tree, path)
  const all = values.flatMap((value) => (fields(value)['kind'] === 'List' ? list(fields(value)['items']) : [value]))
  return new Set(
    all.map(fields).flatMap(({ apiVersion, kind, metadata }) => {
      const { name, namespace } = fields(metadata)
      if (text(apiVersion) === undefined || text(kind) === undefined || text(name) === undefined) return []
      return kind === 'Namespace' ? [] : [`${String(kind)} ${text(namespace) ?? '-'} ${String(name)}`]
    }),
  )
}

async function valuesIn(tree: WorkingTree, path: string): Promise<unknown[]> {
  const content = await tree.read(path)
  return content === null || content.length > MAX_BYTES ? [] : valuesOf(content.toString('utf8'))
}

const MAX_BYTES = 1024 * 1024
