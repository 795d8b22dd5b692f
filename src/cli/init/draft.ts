import { asTrueupError, TrueupError } from '../../lib/errors/error.ts'
import { fields, list } from './manifests.ts'
import { CONFIG_FILE, type WorkingTree } from '../local/working-tree.ts'
import { readStacks, sharedPlaces } from '../local/stacks.ts'
import { withoutAlternatives } from './alternatives.ts'
import { type Entry, entriesOf } from './entries.ts'
import { assign } from './environments.ts'
import { type Replaced, survey } from './survey.ts'
import { type Draft, textOf } from './text.ts'

export interface DraftOptions {
  /** Names of environments that a person gave; null looks for them in the repository. */
  environments: readonly string[] | null
  replace: Replaced
}

/** A trueup.yaml for a repository. It is what `trueup validate` accepts: entries that it refuses become comments. */
export async function draft(tree: WorkingTree, { environments: wanted, replace }: DraftOptions): Promise<Draft> {
  const { found, leftOut, claims } = await survey(tree, replace)
  const { environments, stacks, unwanted } = assign(found, wanted, tree.directories)
  const names = environments.map(({ name }) => name)
  const entries = entriesOf(await withoutAlternatives(stacks, tree), names, tree.directories)
  const others = unwanted.map(({ path, environment }) => ({ path, why: `of ${environment}, which is none of --env` }))
  const deployedBy = [...new Set(claims.map(({ by }) => by))]
  return await repaired({ environments, entries, leftOut: [...leftOut, ...others], deployedBy }, tree)
}

/** Makes comments of entries that `validate` would refuse, each with the reason; a person knows what was meant. */
export async function repaired(draft: Draft, tree: WorkingTree): Promise<Draft> {
  let entries = [...draft.entries]
  // Each round takes at least one entry out; a problem of the file as a whole is a fault of ours and ends it.
  for (;;) {
    const active = entries.filter(({ inactive }) => inactive === null)
    const problems = await refusals({ ...draft, entries }, tree, active)
    if (problems.size === 0) return { ...draft, entries }
    entries = entries.map((one) => (problems.has(one) ? { ...one, inactive: problems.get(one)! } : one))
  }
}

/** What `validate` says against active entries. */
async function refusals(draft: Draft, tree: WorkingTree, active: readonly Entry[]): Promise<Map<Entry, string>> {
  const source = Buffer.from(textOf(draft))
  const withText: WorkingTree = {
    ...tree,
    files: [...tree.files, CONFIG_FILE],
    read: async (path) => (path === CONFIG_FILE ? source : tree.read(path)),
  }
  const refused = new Map<Entry, string>()
  try {
    const { stacks } = await readStacks(withText)
    for (const { definition, driver, config } of stacks) {
      const entry = active.find((one) => one.driver === definition.driver && isOf(one, definition))
      if (entry === undefined || refused.has(entry)) continue
      try {
        await driver.dependencies(tree.read, tree.list, definition.path, config)
      } catch (thrown) {
        refused.set(entry, asTrueupError(thrown, 'reading its sources').text.why)
      }
    }
    for (const { stack, message } of await sharedPlaces(withText, stacks)) {
      const definition = stacks.find((one) => one.definition.key === stack)?.definition
      const entry = definition && active.find((one) => one.driver === definition.driver && isOf(one, definition))
      if (entry !== undefined) refused.set(entry, message)
    }
  } catch (thrown) {
    if (!(thrown instanceof TrueupError)) throw thrown
    for (const [entry, why] of byEntry(thrown, active)) refused.set(entry, why)
    if (refused.size === 0) throw thrown
  }
  return refused
}

function isOf(entry: Entry, { path, name, environment }: { path: string; name: string; environment: string }): boolean {
  if (entry.path.replace('{environment}', environment) !== path) return false
  if (entry.environments !== undefined && !entry.environments.includes(environment)) return false
  return entry.name === undefined || entry.name === name
}

/** `stacks[3].with: …` of an error's problems, by entry. */
function byEntry(error: TrueupError, active: readonly Entry[]): Map<Entry, string> {
  const found = new Map<Entry, string>()
  for (const problem of list(fields(error.text.details)['problems']).map(fields)) {
    const index = /^stacks\[(\d+)\]/.exec(String(problem['path']))?.[1]
    const entry = index === undefined ? undefined : active[Number(index)]
    if (entry !== undefined) found.set(entry, String(problem['message']))
  }
  // An error of one stack's settings names the stack in its text alone.
  if (found.size === 0) {
    const entry = active.find(({ path }) => `${error.text.doing} ${error.text.why}`.includes(path))
    if (entry !== undefined) found.set(entry, error.text.why)
  }
  return found
}
