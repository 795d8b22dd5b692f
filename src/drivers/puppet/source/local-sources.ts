import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../../../lib/json.ts'
import type { Catalog } from './catalog.ts'

/** Names of the modules in directories of the worker, each with the place of its directory; earlier directories win. */
export async function modulesIn(directories: readonly { here: string; there: string }[]): Promise<Map<string, string>> {
  const modules = new Map<string, string>()
  for (const { here, there } of directories) {
    for (const name of await readdir(here).catch(() => [])) if (!modules.has(name)) modules.set(name, join(there, name))
  }
  return modules
}

/**
 * The catalog with files of modules named by their paths on the host. Puppet gives a catalog that it reads from a file an
 * environment without modules (Puppet::Resource::Catalog.from_data_hash), where `puppet:///modules/…` is nowhere to be
 * found. Null where a source cannot be named so: it belongs to a module that only the host has.
 */
export function withLocalSources(catalog: Catalog, modules: ReadonlyMap<string, string>): Catalog | null {
  let lost = false
  const local = (source: Json): Json => {
    if (Array.isArray(source)) return source.map(local)
    if (typeof source !== 'string' || !source.startsWith('puppet:///')) return source
    const [, name, path] = /^puppet:\/\/\/modules\/([^/]+)\/(.*)$/.exec(source) ?? []
    const module = name === undefined ? undefined : modules.get(name)
    if (module === undefined) lost = true
    return module === undefined ? source : join(module, 'files', path!)
  }
  const resources = catalog.resources.map((resource) =>
    resource.parameters.source === undefined
      ? resource
      : { ...resource, parameters: { ...resource.parameters, source: local(resource.parameters.source) } },
  )
  return lost ? null : { ...catalog, resources }
}
