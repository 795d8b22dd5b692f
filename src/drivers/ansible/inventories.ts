import { posix } from 'node:path'
import { environmentFiles } from '../per-environment.ts'

/** What a playbook is run against; without `environment` it is the only one, without `inventory` the ansible.cfg says. */
export interface Inventory {
  environment?: string
  inventory?: string
  /** Others that could be meant as well. */
  unclear?: string
}

const SINGLE = /^(inventory|hosts|inventories)(\.(ini|ya?ml))?$/
/** Members of an inventory directory that are no inventories of their own. */
const PARTS = /(^|\/)(group_vars|host_vars)(\/|$)/

/**
 * The inventories of a directory with playbooks: those named after environments (`inventories/prod/…`, `inventory/prod.ini`,
 * `hosts-prod.yml`, `production` at the top as Ansible's guide has it), otherwise the one there is.
 */
export function inventoriesOf(root: string, files: readonly string[], cfgNamesOne: boolean): Inventory[] {
  const below = files
    .filter((file) => root === '.' || file.startsWith(`${root}/`))
    .map((file) => posix.relative(root === '.' ? '' : root, file))
  const named = new Map<string, string>()
  for (const { environment, file } of environmentFiles(below, environmentOf)) {
    const [first = '', second = ''] = file.split('/')
    named.set(environment, /^inventor(y|ies)$/.test(first) ? `${first}/${second}` : file.includes('/') ? first : file)
  }
  if (named.size > 0)
    return [...named]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([environment, inventory]) => ({ environment, inventory }))
  if (cfgNamesOne) return [{}]
  const single = below.find((file) => SINGLE.test(file)) ?? below.find((file) => SINGLE.test(file.split('/')[0]!))
  if (single === undefined) return [{}]
  const top = single.split('/')[0]!
  const members = new Set(
    below.filter((file) => file.startsWith(`${top}/`) && !PARTS.test(file)).map((file) => file.split('/')[1]!),
  )
  const [only] = members
  // `inventory/my-cluster/hosts.ini` and nothing else.
  const isNested = members.size === 1 && below.some((file) => file.startsWith(`${top}/${only}/`))
  const nested = [...members].filter((member) => below.some((file) => file.startsWith(`${top}/${member}/`)))
  if (nested.length > 1) return [{ inventory: `${top}/${nested[0]}`, unclear: nested.join(', ') }]
  const inventory = isNested ? `${top}/${only}` : top
  return [/(^|[/_.-])(sample|example)/.test(inventory) ? { inventory, unclear: 'a sample' } : { inventory }]
}

/** The part of a path that would name the environment of an inventory. */
function environmentOf(file: string): string | null {
  if (PARTS.test(file)) return null
  const [, member] = /^inventor(?:y|ies)\/([^/]+)(?:\/|$)/.exec(file) ?? []
  if (member !== undefined)
    return member.replace(/^(?:hosts|inventory)[-_.]/, '').replace(/[-_.]?(?:hosts|inventory)?\.(?:ini|ya?ml)$/, '')
  const [, before, after] =
    /^(?:hosts|inventory)[-_.]([\w-]+?)(?:\.(?:ini|ya?ml))?$|^([\w-]+)[-_.](?:hosts|inventory)(?:\.(?:ini|ya?ml))?$/.exec(
      file,
    ) ?? []
  if (before !== undefined && !/^(ini|ya?ml)$/.test(before)) return before
  if (after !== undefined) return after
  const [, directory] = /^([\w-]+)\/(?:hosts|inventory)(?:\.(?:ini|ya?ml))?$/.exec(file) ?? []
  if (directory !== undefined) return directory
  // `production` and `staging` without a suffix; a suffix makes it something else.
  return /^[a-z]+$/.test(file) ? file : null
}
