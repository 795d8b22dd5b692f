import { posix } from 'node:path'
import { TrueupError } from '../../../lib/errors/error.ts'
import type { ListFiles, ReadFile } from '../../driver.ts'
import { joinInside } from '../../paths/inside.ts'
import type { PuppetConfig } from '../config.ts'

/** What a stack consists of; paths from the repository's root. */
export interface PuppetSource {
  /** A file or a directory of manifests. */
  manifest: string
  /** Directories of modules that are there. */
  modulepath: string[]
  /** The stack's hiera.yaml, its own or the named one. */
  hiera: string | null
  /** Path of the Puppetfile whose modules are wanted. */
  puppetfile: string | null
}

const DEFAULT_MODULEPATH = ['modules', 'site-modules', 'site']

/**
 * Finds manifest, modules, Hiera and Puppetfile: what the stack's settings name, else what `environment.conf` does, else the
 * layout of a control repository (https://www.puppet.com/docs/puppet/7/environments_creating.html).
 * @throws SOURCE_INVALID where there is no manifest, PATH_OUTSIDE
 */
export async function findSource(
  read: ReadFile,
  list: ListFiles,
  path: string,
  config: PuppetConfig,
): Promise<PuppetSource> {
  const root = posix.normalize(path).replace(/\/$/, '')
  const settings = readSettings((await read(posix.join(root, 'environment.conf')))?.toString('utf8') ?? '')
  const modules = config.modulepath ?? settings.modulepath ?? DEFAULT_MODULEPATH
  const modulepath: string[] = []
  for (const directory of modules.map((each) => joinInside(root, each))) {
    if ((await list(directory)).length > 0) modulepath.push(directory)
  }
  const own = posix.join(root, 'hiera.yaml')
  const named = config.hiera === undefined ? null : joinInside(root, config.hiera)
  const puppetfile = posix.join(root, 'Puppetfile')
  return {
    manifest: await findManifest(read, list, root, config.manifest ?? settings.manifest),
    modulepath,
    hiera: named ?? ((await read(own)) === null ? null : own),
    puppetfile: config.puppetfile && (await read(puppetfile)) !== null ? puppetfile : null,
  }
}

async function findManifest(read: ReadFile, list: ListFiles, root: string, named?: string): Promise<string> {
  const candidates = named === undefined ? ['manifests', 'site.pp'] : [named]
  for (const candidate of candidates) {
    const path = joinInside(root, candidate)
    if ((await list(path)).some((file) => file.endsWith('.pp'))) return path
    if (path.endsWith('.pp') && (await read(path)) !== null) return path
  }
  throw new TrueupError('SOURCE_INVALID', {
    doing: `looking for the manifest of ${root}`,
    why: `there is no ${candidates.join(' and no ')} with a manifest (.pp)`,
    next: 'Add one, or name it with `manifest:`.',
    details: { file: root },
  })
}

/** `modulepath` and `manifest` of an environment.conf, as far as they are relative to it. */
function readSettings(text: string): { modulepath?: string[]; manifest?: string } {
  const valueOf = (name: string): string | undefined =>
    new RegExp(`^\\s*${name}\\s*=\\s*(\\S.*?)\\s*$`, 'm').exec(text)?.[1]
  const relative = (part: string): boolean => part !== '' && !part.startsWith('/') && !part.includes('$')
  const modulepath = valueOf('modulepath')
    ?.split(':')
    .map((part) => part.trim())
    .filter(relative)
  const manifest = valueOf('manifest')
  return { ...(modulepath && { modulepath }), ...(manifest !== undefined && relative(manifest) && { manifest }) }
}
