import { posix } from 'node:path'
import type { CatalogResource } from '../source/catalog.ts'
import type { ResourceStatus } from '../tool/report.ts'

/**
 * Whether something else is wanted where a directory stands, without `force => true`: a dry run then says "should be absent"
 * (or a file, a link), but the run leaves the directory, and for `absent` even says that it was removed. Seen with Puppet 7;
 * https://www.puppet.com/docs/puppet/8/types/file.html#file-attribute-force. `resources`: the catalog by reference.
 */
export function standsInTheWay(status: ResourceStatus, resources: ReadonlyMap<string, CatalogResource>): boolean {
  if (status.resource_type !== 'File') return false
  const found = status.events.some(
    ({ property, previous_value: previous, desired_value: desired }) =>
      property === 'ensure' && previous === 'directory' && desired !== 'directory',
  )
  return found && !isYes(declared(status.title, resources)?.parameters.force)
}

/** The resource that speaks for a path: its own, or for what `purge` found the nearest directory above that is declared. */
function declared(path: string, resources: ReadonlyMap<string, CatalogResource>): CatalogResource | undefined {
  const own = resources.get(`File[${path}]`)
  const above = posix.dirname(path)
  return own ?? (above === path ? undefined : declared(above, resources))
}

const isYes = (value: unknown): boolean => value === true || value === 'true' || value === 'yes'
