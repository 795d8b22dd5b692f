import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'
import type { ReadFile } from '../driver.ts'

const NOT_OURS =
  /(^|\/)(cookbooks|cookbook_artifacts|spec|tests?|fixtures|examples?|vendor|node_modules|docs|\.[^/]+)(\/|$)/

/**
 * Policies with a lock, and `chef-repo`s whose only cookbook tells what to run. A cookbook by itself is a library: it is
 * no stack, also with a Policyfile that its tests use.
 */
export async function detect(
  files: readonly string[],
  read: ReadFile,
): Promise<{ path: string; with?: { [key: string]: Json } }[]> {
  void read
  const all = new Set(files)
  const proposals = new Map<string, { [key: string]: Json } | undefined>()
  for (const file of files) {
    const directory = posix.dirname(file)
    const outside = !NOT_OURS.test(directory === '.' ? '' : directory)
    if (posix.basename(file) === 'Policyfile.lock.json' && outside && !all.has(posix.join(directory, 'metadata.rb'))) {
      proposals.set(directory, undefined)
    }
  }
  for (const [directory, cookbooks] of cookbooksOf(files)) {
    if (NOT_OURS.test(directory === '.' ? '' : directory) || proposals.has(directory) || cookbooks.length !== 1)
      continue
    proposals.set(directory, { runList: [`recipe[${cookbooks[0]}]`] })
  }
  return [...proposals].map(([path, settings]) => ({ path, ...(settings && { with: settings }) }))
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
