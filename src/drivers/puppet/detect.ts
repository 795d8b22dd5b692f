import { posix } from 'node:path'
import type { ReadFile } from '../driver.ts'
import type { Detected } from '../proposal.ts'

/** Directories of these names hold modules, tests, and copies of other repositories. */
const NOT_OURS =
  /(^|\/)(modules|site-modules|site|spec|tests?|fixtures|examples?|vendor|node_modules|docs|\.[^/]+)(\/|$)/

/**
 * Control repositories and directories of one manifest: `manifests/site.pp`, or a `site.pp`. A directory with a
 * metadata.json is a module, which is nothing to deploy by itself.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<Detected> {
  const found = new Set<string>()
  for (const file of files) {
    if (posix.basename(file) !== 'site.pp') continue
    const directory = posix.dirname(file)
    found.add(posix.basename(directory) === 'manifests' ? posix.dirname(directory) : directory)
  }
  const detected: Detected = { stacks: [], leftOut: [] }
  for (const path of [...found].toSorted()) {
    if (NOT_OURS.test(path === '.' ? '' : path)) detected.leftOut.push({ path, why: 'a test, an example or a module' })
    else if (await isModule(path, read))
      detected.leftOut.push({ path, why: 'a module, which nobody deploys by itself' })
    else detected.stacks.push({ path, why: 'site.pp', danger: OWN_HOST })
  }
  return detected
}

/** A control repository serves hosts that it does not list. */
const OWN_HOST = "no hosts are named, so that it would converge the worker's own: name them in `hosts`"

async function isModule(path: string, read: ReadFile): Promise<boolean> {
  const text = (await read(posix.join(path, 'metadata.json')))?.toString('utf8')
  return text !== undefined && /"(dependencies|version)"/.test(text)
}
