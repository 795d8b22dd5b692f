import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { compileGlob } from '../../../domain/glob.ts'
import type { DriverContext } from '../../driver.ts'
import type { KubernetesConfig } from '../config.ts'
import { directoryOf, inWorkspace } from './locate.ts'
import type { Manifest, Problem } from './manifests.ts'
import { parsedManifests } from './parsed.ts'

/** Files that hold objects. */
export const isManifestFile = (path: string): boolean =>
  /\.(ya?ml|json)$/.test(path) && !path.split('/').some((part) => part.startsWith('.'))

/** Every YAML and JSON file of the directory and below, in the order of their paths; hidden ones are left out. */
export async function readPlain(context: DriverContext<KubernetesConfig>, problems: Problem[]): Promise<Manifest[]> {
  const { config, stack, workspace } = context
  const directory = await inWorkspace(context, directoryOf(config, stack.environment))
  const excluded = config.exclude.map((pattern) => compileGlob(pattern))
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .filter((path) => isManifestFile(path) && !excluded.some((matches) => matches(path)))
    .toSorted()
  const manifests: Manifest[] = []
  for (const file of files) {
    const path = relative(workspace, join(directory, file))
    manifests.push(...parsedManifests(await readFile(join(directory, file), 'utf8'), path, problems))
  }
  return manifests
}
