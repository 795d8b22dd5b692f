import { posix } from 'node:path'
import type { ListFiles, ReadFile } from '../driver.ts'
import type { TerraformConfig } from './config.ts'
import { isWithin, joinInside } from '../paths/inside.ts'
import { referencesIn } from './source/references.ts'
import { isSourceFile, sourcePaths } from './source/blocks.ts'

/**
 * Paths outside the stack's own directory that it is built from: local modules (`source = "../…"`, and what those use in
 * turn), the files that its settings name, and files that the code reads by a literal relative path
 * (`file("${path.module}/../x")`). Each module is read once, so a circle ends. PATH_OUTSIDE for a module or a named file
 * outside the repository. Broken code still gives what can be found in it; `validate` tells what is broken.
 */
export async function dependencies(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: TerraformConfig,
): Promise<string[]> {
  const root = posix.normalize(path).replace(/\/$/, '')
  const found = new Set<string>()
  for (const file of namedFiles(config)) found.add(joinInside(root, file, `the settings of stack ${path}`))

  const visited = new Set<string>()
  const visit = async (directory: string): Promise<void> => {
    if (visited.has(directory)) return
    visited.add(directory)
    if (directory !== root) found.add(directory)
    const files = await sourcePaths(list, directory)
    for (const { modules, strings } of await Promise.all(files.map((file) => referencesIn(read, file)))) {
      for (const { base, path: named } of strings) {
        const target = inRepository(base === 'module' ? directory : root, named)
        if (target !== null && (await exists(target, read, list))) found.add(target)
      }
      for (const { source, name } of modules) {
        await visit(joinInside(directory, source, `module "${name}" in ${directory}`))
      }
    }
  }
  await visit(root)
  return withoutCovered([...found].filter((dependency) => !isWithin(root, dependency)))
}

/** Dependencies follow from which files there are and from what the source files refer to: those that now refer to something else. */
export async function dependencyChanges(
  before: ReadFile,
  after: ReadFile,
  changed: readonly string[],
): Promise<string[]> {
  const sources = changed.filter(isSourceFile)
  const same = await Promise.all(
    sources.map(async (path) => {
      const [old, now] = await Promise.all([referencesIn(before, path), referencesIn(after, path)])
      return old === now || JSON.stringify(old) === JSON.stringify(now)
    }),
  )
  return sources.filter((_path, at) => !same[at])
}

function namedFiles(config: TerraformConfig): string[] {
  const { varFiles, backendConfigFiles, pluginDir, cliConfig } = config
  return [...varFiles, ...backendConfigFiles, pluginDir, cliConfig].filter((file) => file !== undefined)
}

/** Null for the root itself and what is above it: a string of that form may mean anything. */
function inRepository(directory: string, path: string): string | null {
  const target = posix.normalize(posix.join(directory, path)).replace(/\/$/, '')
  return target === '.' || target === '..' || target.startsWith('../') ? null : target
}

/** A string that names nothing is just a string. */
async function exists(path: string, read: ReadFile, list: ListFiles): Promise<boolean> {
  const isFile = read.idOf ? (await read.idOf(path)) !== null : (await read(path)) !== null
  return isFile || (await list(path)).length > 0
}

function withoutCovered(paths: string[]): string[] {
  const sorted = [...new Set(paths)].toSorted()
  return sorted.filter((path) => !sorted.some((other) => other !== path && isWithin(other, path)))
}
