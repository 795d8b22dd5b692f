import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'
import type { ReadFile } from '../driver.ts'
import { byPath, type Detected, type LeftOut, type Proposal } from '../proposal.ts'
import { inventoriesOf } from './inventories.ts'
import { mainPlaybooks } from './main-playbooks.ts'
import { isPlaybook, isYaml } from './source/source-files.ts'
import { defaultsOf } from './tool/configuration.ts'

/** Where playbooks are parts, tests or somebody else's. */
const NOT_OWN =
  /(^|\/)(\.[^/]+|roles|collections|ansible_collections|molecule|tests?|examples?|fixtures|vendor|node_modules|tasks|handlers|vars|defaults|meta|group_vars|host_vars|templates|files)(\/|$)/

/**
 * Playbooks of a repository, as proposals for `trueup init`: for each directory with an ansible.cfg, or with playbooks that
 * no directory above it speaks for, its main playbook, or each one where none stands for all; once for each inventory that
 * is named after an environment. A repository that is a role or a collection itself has none.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<Detected> {
  const playbooks = new Map<string, { file: string; text: string }[]>()
  for (const file of files) {
    if (!isYaml(file) || NOT_OWN.test(posix.dirname(file)) || /(^|\/)\.[^/]*$/.test(file)) continue
    const text = (await read(file))?.toString('utf8') ?? ''
    if (!isPlaybook(text)) continue
    const root = rootOf(file, files)
    playbooks.set(root, [...(playbooks.get(root) ?? []), { file, text }])
  }
  const stacks: Proposal[] = []
  const leftOut: LeftOut[] = []
  for (const [root, found] of playbooks) {
    const chosen = mainPlaybooks(root, found)
    leftOut.push(...chosen.leftOut)
    const cfg = (await read(posix.join(root, 'ansible.cfg')))?.toString('utf8') ?? ''
    const cfgNamesOne = defaultsOf(cfg).has('inventory')
    const inventories = inventoriesOf(root, files, cfgNamesOne)
    for (const file of chosen.playbooks) {
      const playbook = posix.relative(root, file)
      const settings: { [key: string]: Json } = playbook === 'site.yml' ? {} : { playbook }
      const several = chosen.playbooks.length > 1
      const base: Proposal = {
        path: root,
        ...(several && { name: nameOf(root, playbook) }),
        why: `playbook ${playbook}`,
        confidence: several ? 'likely' : 'sure',
      }
      for (const { environment, inventory, unclear } of inventories) {
        const all = { ...settings, ...(inventory !== undefined && { inventory }) }
        stacks.push({
          ...base,
          ...(Object.keys(all).length > 0 && { with: all }),
          ...(environment === undefined ? { single: true } : { environment }),
          ...(inventory === undefined && !cfgNamesOne && { danger: OWN_HOST }),
          ...(unclear !== undefined && { danger: `nobody says which inventory is meant (${unclear})` }),
          why: inventory === undefined ? base.why! : `${base.why}, inventory ${inventory}`,
        })
      }
    }
  }
  return { stacks: stacks.toSorted(byPath), leftOut: leftOut.toSorted(byPath) }
}

const OWN_HOST = "there is no inventory: only plays on localhost would run, on the worker's own host"

/** `web/deploy` for the playbook `playbooks/deploy.yml` of `web`. */
const nameOf = (root: string, playbook: string): string =>
  posix.join(root, posix.basename(playbook).replace(/\.ya?ml$/, ''))

/** The directory whose stack a playbook belongs to: the nearest with an ansible.cfg, else the one above `playbooks/`. */
function rootOf(file: string, files: readonly string[]): string {
  const own = posix.dirname(file)
  for (let directory = own; ; directory = posix.dirname(directory)) {
    if (files.includes(posix.join(directory, 'ansible.cfg'))) return directory
    if (directory === '.' || directory === '/') break
  }
  return posix.basename(own) === 'playbooks' ? posix.dirname(own) : own
}
