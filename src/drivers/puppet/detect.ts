import { posix } from 'node:path'
import type { Json } from '../../lib/json.ts'
import type { ReadFile } from '../driver.ts'

/** Directories of these names hold modules, tests, and copies of other repositories. */
const NOT_OURS =
  /(^|\/)(modules|site-modules|site|spec|tests?|fixtures|examples?|vendor|node_modules|docs|\.[^/]+)(\/|$)/

/**
 * Control repositories and directories of one manifest: `manifests/site.pp`, or a `site.pp`. A directory with a
 * metadata.json is a module, which is nothing to deploy by itself.
 */
export async function detect(
  files: readonly string[],
  read: ReadFile,
): Promise<{ path: string; with?: { [key: string]: Json } }[]> {
  const found = new Set<string>()
  for (const file of files) {
    if (posix.basename(file) !== 'site.pp') continue
    const directory = posix.dirname(file)
    found.add(posix.basename(directory) === 'manifests' ? posix.dirname(directory) : directory)
  }
  const proposals: string[] = []
  for (const path of [...found].toSorted()) {
    if (NOT_OURS.test(path === '.' ? '' : path)) continue
    if (await isModule(path, read)) continue
    proposals.push(path)
  }
  return proposals.map((path) => ({ path }))
}

async function isModule(path: string, read: ReadFile): Promise<boolean> {
  const text = (await read(posix.join(path, 'metadata.json')))?.toString('utf8')
  return text !== undefined && /"(dependencies|version)"/.test(text)
}
