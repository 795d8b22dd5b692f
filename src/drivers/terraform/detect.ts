import { posix } from 'node:path'
import type { ReadFile } from '../driver.ts'
import { joinInside } from '../paths/inside.ts'
import { isSourceFile, type ModuleSource, readModule } from './source/blocks.ts'

/** Directories of these names hold modules and tests, not roots that someone deploys. */
const NOT_A_ROOT = /(^|\/)(modules|tests?|fixtures|\.terraform|vendor|node_modules)(\/|$)/
const EXAMPLES = /(^|\/)examples?(\/|$)/

/**
 * Root modules of a repository, as proposals for `trueup init`: directories with Terraform code that no other directory
 * uses as a local module. Where several remain, one with a backend, a provider or a lock file of its own is a root for
 * certain; a directory without any of them is proposed only when nothing says that it is a library. Examples of a module
 * repository are roots too, but nobody wants all of them deployed: they are proposed only when there is nothing else.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<{ path: string }[]> {
  const directories = await readDirectories(files, read)
  const used = new Set<string>()
  for (const [directory, source] of directories) {
    for (const { source: target, name } of source.modules) {
      if (target !== null && /^\.\.?\//.test(target)) used.add(resolveQuietly(directory, target, name))
    }
  }
  const candidates = [...directories].filter(
    ([directory, source]) => isRoot(directory, source, files) && !used.has(directory),
  )
  const proper = candidates.filter(([directory]) => !EXAMPLES.test(directory))
  const chosen = proper.length > 0 ? proper : candidates
  const isLibrary = [...directories.keys()].some((directory) => EXAMPLES.test(directory))
  const certain = chosen.filter(([directory, source]) => isCertain(directory, source, files))
  const examples = candidates.filter(([directory]) => EXAMPLES.test(directory))
  const kept = !isLibrary ? chosen : certain.length > 0 ? certain : examples
  return kept.map(([path]) => ({ path })).toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

async function readDirectories(files: readonly string[], read: ReadFile): Promise<Map<string, ModuleSource>> {
  const grouped = Map.groupBy(files.filter(isSourceFile), (file) => posix.dirname(file))
  const directories = new Map<string, ModuleSource>()
  for (const [directory, paths] of grouped) {
    const texts = await Promise.all(
      paths.map(async (path) => ({ path, text: (await read(path))?.toString('utf8') ?? '' })),
    )
    directories.set(directory, await readModule(texts))
  }
  return directories
}

function isRoot(directory: string, source: ModuleSource, files: readonly string[]): boolean {
  if (NOT_A_ROOT.test(directory)) return false
  return isCertain(directory, source, files) || source.resources.length > 0 || source.modules.length > 0
}

function isCertain(directory: string, source: ModuleSource, files: readonly string[]): boolean {
  const lockFile = posix.join(directory, '.terraform.lock.hcl')
  const hasValues = files.some(
    (file) => posix.dirname(file) === directory && /\.auto\.tfvars$|(^|\/)terraform\.tfvars$/.test(file),
  )
  return source.backend !== null || source.hasProvider || hasValues || files.includes(lockFile)
}

/** A module path that leaves the repository concerns `dependencies`, which refuses it; here it is simply not used. */
function resolveQuietly(directory: string, target: string, name: string): string {
  try {
    return joinInside(directory, target, name)
  } catch {
    return ''
  }
}
