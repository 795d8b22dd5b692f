import { posix } from 'node:path'
import type { ReadFile } from '../driver.ts'
import type { Detected, LeftOut, Proposal } from '../proposal.ts'

const NOT_OURS =
  /(^|\/)(cookbooks|cookbook_artifacts|spec|tests?|fixtures|examples?|vendor|node_modules|docs|\.[^/]+)(\/|$)/

/** Which hosts they are, no chef-repo says in a form that could be trusted. */
const OWN_HOST = "no hosts are named, so that it would converge the worker's own: name them in `hosts`"

/**
 * Policies with a lock, roles of a `chef-repo`, and the only cookbook of one. A cookbook by itself is a library: it is no
 * stack, also with a Policyfile that its tests use.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<Detected> {
  void read
  const all = new Set(files)
  const stacks: Proposal[] = []
  const leftOut: LeftOut[] = []
  const isOurs = (directory: string): boolean => !NOT_OURS.test(directory === '.' ? '' : directory)
  for (const file of files) {
    const directory = posix.dirname(file)
    const name = posix.basename(file)
    if (name === 'Policyfile.lock.json' && isOurs(directory)) {
      if (all.has(posix.join(directory, 'metadata.rb')))
        leftOut.push({ path: directory, why: 'a cookbook with its tests' })
      else stacks.push({ path: directory, why: 'policy with a lock', danger: OWN_HOST })
    } else if (/(^|\/)(policies|policyfiles)\/[^/]+\.lock\.json$/.test(file) && isOurs(directory)) {
      const root = posix.dirname(directory)
      stacks.push(named(root, name.replace('.lock.json', ''), { policyLock: posix.relative(root, file) }, 'policy'))
    }
  }
  const taken = new Set(stacks.map(({ path }) => path))
  for (const [directory, cookbooks] of cookbooksOf(files)) {
    if (!isOurs(directory) || taken.has(directory)) continue
    const roles = rolesOf(directory, files)
    for (const role of roles) stacks.push(named(directory, role, { runList: [`role[${role}]`] }, 'role'))
    if (roles.length > 0) continue
    const runList = [`recipe[${cookbooks[0]}]`]
    if (cookbooks.length === 1) stacks.push({ path: directory, with: { runList }, why: 'cookbook', danger: OWN_HOST })
    else
      leftOut.push({
        path: directory,
        why: `${cookbooks.length} cookbooks, and neither a policy nor a role that says what to run`,
      })
  }
  return { stacks, leftOut }
}

const named = (path: string, what: string, settings: Proposal['with'], kind: string): Proposal => ({
  path,
  name: posix.join(path, what),
  with: settings,
  why: `${kind} ${what}`,
  confidence: 'likely',
  danger: OWN_HOST,
})

/** Roles as Ruby or JSON; `roles/web.rb` is `web`. */
function rolesOf(directory: string, files: readonly string[]): string[] {
  const within = posix.join(directory, 'roles')
  const names = files
    .filter((file) => posix.dirname(file) === within && /\.(rb|json)$/.test(file))
    .map((file) => posix.basename(file).replace(/\.(rb|json)$/, ''))
  return [...new Set(names)].toSorted()
}

/** Cookbooks with a default recipe, by the directory that holds their `cookbooks`. */
function cookbooksOf(files: readonly string[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const file of files) {
    const match = /^((?:.*\/)?)cookbooks\/([^/]+)\/recipes\/default\.rb$/.exec(file)
    if (match === null) continue
    const directory = match[1] === '' ? '.' : match[1]!.slice(0, -1)
    found.set(directory, [...(found.get(directory) ?? []), match[2]!])
  }
  return found
}
