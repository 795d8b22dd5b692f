import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'
import type { ReadFile } from '../driver.ts'
import { defaultsOf } from './tool/configuration.ts'
import { isPlaybook, isYaml } from './source/source-files.ts'

/** Where playbooks are parts, tests or somebody else's. */
const NOT_OWN =
  /(^|\/)(\.[^/]+|roles|collections|ansible_collections|molecule|tests?|examples?|fixtures|vendor|node_modules|tasks|handlers|vars|defaults|meta|group_vars|host_vars|templates|files)(\/|$)/
/** Names of a playbook that stands for all of a directory, the usual one first. */
const MAIN = ['site', 'main', 'playbook']
const INVENTORIES = [
  'inventory',
  'inventory.ini',
  'inventory.yml',
  'inventory.yaml',
  'hosts',
  'hosts.ini',
  'hosts.yml',
  'hosts.yaml',
]

/**
 * Playbooks of a repository, as proposals for `trueup init`: for each directory with an ansible.cfg, or with playbooks that
 * no directory above it speaks for, its main playbook. A repository that is a role or a collection itself has none.
 */
export async function detect(
  files: readonly string[],
  read: ReadFile,
): Promise<{ path: string; with?: { [key: string]: Json } }[]> {
  const playbooks = new Map<string, string[]>()
  for (const file of files) {
    if (!isYaml(file) || NOT_OWN.test(posix.dirname(file)) || /(^|\/)\.[^/]*$/.test(file)) continue
    const root = rootOf(file, files)
    if (isPlaybook((await read(file))?.toString('utf8') ?? ''))
      playbooks.set(root, [...(playbooks.get(root) ?? []), file])
  }
  const proposals = await Promise.all(
    [...playbooks].map(async ([root, found]) => {
      const main = mainOf(found)
      if (main === null) return []
      const settings: { [key: string]: Json } = {}
      const playbook = posix.relative(root, main)
      if (playbook !== 'site.yml') settings['playbook'] = playbook
      const cfg = (await read(posix.join(root, 'ansible.cfg')))?.toString('utf8') ?? ''
      if (!defaultsOf(cfg).has('inventory')) {
        const inventory = inventoryOf(root, files)
        if (inventory !== null) settings['inventory'] = inventory
      }
      return [{ path: root, ...(Object.keys(settings).length > 0 && { with: settings }) }]
    }),
  )
  return proposals.flat().toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** The directory whose stack a playbook belongs to: the nearest with an ansible.cfg, else the one above `playbooks/`. */
function rootOf(file: string, files: readonly string[]): string {
  const own = posix.dirname(file)
  for (let directory = own; ; directory = posix.dirname(directory)) {
    if (files.includes(posix.join(directory, 'ansible.cfg'))) return directory
    if (directory === '.' || directory === '/') break
  }
  return posix.basename(own) === 'playbooks' ? posix.dirname(own) : own
}

/** The one that stands for all, or the only one; of several equal ones nobody knows which is wanted. */
function mainOf(playbooks: readonly string[]): string | null {
  const byDepth = playbooks.toSorted((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1))
  for (const name of MAIN) {
    const found = byDepth.find((file) => posix.basename(file).replace(/\.ya?ml$/, '') === name)
    if (found !== undefined) return found
  }
  return playbooks.length === 1 ? playbooks[0]! : null
}

function inventoryOf(root: string, files: readonly string[]): string | null {
  for (const name of INVENTORIES) {
    const path = posix.join(root, name)
    if (files.includes(path) || files.some((file) => file.startsWith(`${path}/`))) return name
  }
  const kinds = files.flatMap((file) => {
    const below = posix.relative(root, file)
    return /^inventor(?:y|ies)\/([^/]+)\//.exec(below)?.[0] ?? []
  })
  const [first, ...others] = [...new Set(kinds)]
  return first !== undefined && others.length === 0 ? first.replace(/\/$/, '') : null
}
