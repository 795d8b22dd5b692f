import { posix } from 'node:path'
import type { ReadFile } from '../driver.ts'
import { joinInside } from '../paths/inside.ts'
import { byPath, type Detected, type LeftOut, type Proposal } from '../proposal.ts'
import { isSourceFile, type ModuleSource, readModule } from './source/blocks.ts'
import { variantsOf } from './variants.ts'

/** Directories of these names hold modules and tests, not roots that someone deploys. */
const NOT_A_ROOT = /(^|\/)(modules|tests?|fixtures|\.terraform|vendor|node_modules)(\/|$)/
const EXAMPLES = /(^|\/)examples?(\/|$)/
/** Settings of a backend that say which state it is: with one of them there is one state, in whatever environment. */
const STATE_NAMES = ['key', 'path', 'prefix', 'address', 'workspaces', 'secret_suffix']

/**
 * Root modules of a repository, as proposals for `trueup init`: directories with Terraform code that no other directory
 * uses as a local module. Where several remain, one with a backend, a provider or a lock file of its own is a root for
 * certain; a directory without any of them is proposed only when nothing says that it is a library. Examples of a module
 * repository are roots too, but nobody wants all of them deployed: they are proposed only when there is nothing else.
 * A root with variable files named after environments is proposed once for each of them.
 */
export async function detect(files: readonly string[], read: ReadFile): Promise<Detected> {
  const directories = await readDirectories(files, read)
  const users = new Map<string, string>()
  for (const [directory, source] of directories) {
    for (const { source: target, name } of source.modules) {
      if (target !== null && /^\.\.?\//.test(target)) users.set(resolveQuietly(directory, target, name), directory)
    }
  }
  const candidates = [...directories].filter(
    ([directory, source]) => isRoot(directory, source, files) && !users.has(directory),
  )
  const proper = candidates.filter(([directory]) => !EXAMPLES.test(directory))
  const chosen = proper.length > 0 ? proper : candidates
  const isLibrary = [...directories.keys()].some((directory) => EXAMPLES.test(directory))
  const certain = chosen.filter(([directory, source]) => isCertain(directory, source, files))
  const examples = candidates.filter(([directory]) => EXAMPLES.test(directory))
  const kept = !isLibrary ? chosen : certain.length > 0 ? certain : examples
  const roots = new Set(kept.map(([path]) => path))
  return {
    stacks: kept
      .flatMap(([path, source]) => proposals(path, source, files, (each) => directories.has(each)))
      .toSorted(byPath),
    leftOut: [...directories.keys()]
      .filter((path) => !roots.has(path))
      .map((path): LeftOut => ({ path, why: whyNot(path, users.get(path)) }))
      .toSorted(byPath),
  }
}

function proposals(
  path: string,
  source: ModuleSource,
  files: readonly string[],
  isModule: (directory: string) => boolean,
): Proposal[] {
  const isFixed = source.backend !== null && STATE_NAMES.some((name) => source.backendSettings[name] !== undefined)
  const why = `root module${source.backend === null ? '' : `, ${source.backend} backend`}`
  const confidence = isCertain(path, source, files) ? 'sure' : 'likely'
  const variants = variantsOf(path, files, isModule)
  if (variants.length === 0) return [{ path, why, confidence, ...(isFixed && { single: true }) }]
  return variants.map(({ environment, settings, named }) => ({
    path,
    environment,
    with: settings,
    why: `${why}, ${named}`,
    confidence,
    // Without a state of its own each environment would plan to make the others' resources its own.
    ...(isFixed && settings['backendConfigFiles'] === undefined && { danger: sharedState(source) }),
  }))
}

const sharedState = ({ backend }: ModuleSource): string =>
  `its ${backend} backend has one fixed state for all environments: add \`workspace\` or \`backendConfig\` first`

function whyNot(path: string, user: string | undefined): string {
  if (user !== undefined) return `a local module of ${user}`
  if (NOT_A_ROOT.test(path)) return 'modules and tests are not deployed by themselves'
  return EXAMPLES.test(path) ? 'an example' : 'a module without backend, provider or values of its own'
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
