import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, delimiter, dirname, isAbsolute, join, sep } from 'node:path'

/** System directories without anything of a person or a service in them. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']
/** Packages of tools that live on their own. */
const TOOLS = ['/opt/puppetlabs', '/opt/chef', '/opt/chef-workstation', '/opt/cinc', '/nix/store']
/** Of /etc what libraries and tools need to start; no keys, no passwords, no configuration of services. */
const ETC = [
  'alternatives', 'ansible', 'bash.bashrc', 'ca-certificates', 'crypto-policies', 'debian_version', 'gai.conf',
  'group', 'host.conf', 'hosts', 'java', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime', 'machine-id', 'magic',
  'mime.types', 'nsswitch.conf', 'os-release', 'passwd', 'pki', 'profile', 'protocols', 'python3', 'redhat-release',
  'resolv.conf', 'services', 'shells', 'ssl', 'timezone',
] // biome-ignore format: a list of names
/** Homes, sockets and keys of this machine: nothing of them is seen, though more around them is. A worker may be root. */
const PRIVATE = [
  '/root', '/home', '/run', '/var/run', '/etc/shadow', '/etc/gshadow', '/etc/ssh', '/etc/ssl/private', '/etc/pki/tls/private',
] // biome-ignore format: a list of names

/** Where tools of the host keep locks and caches, also in a dry run: in the wide view they have empty ones, to write to. */
const STATE = ['/var/chef', '/var/cinc']

export interface ViewOptions {
  /** The whole machine, read-only, without what is private: for code that people vouch for, whose tools look at the host. */
  wide: boolean
  /** Further paths that are seen. */
  read: readonly string[]
  /** Directories that are seen by nobody. */
  hide: readonly string[]
  /** PATH of the worker itself: what an operator has put there is meant to run. */
  path: string
}

/** Arguments of bubblewrap for what is seen, read-only; made once, the same for all runs of a worker. */
export function viewArguments({ wide, read, hide, path }: ViewOptions): string[] {
  const tools = [...toolDirectories(path, hide), ...read].filter(existsSync)
  const shown = wide ? [] : [...SYSTEM, ...TOOLS, ...ETC.map((name) => join('/etc', name))].filter(existsSync)
  const base = wide ? ['--ro-bind', '/', '/'] : shown.flatMap(readOnly)
  const isShown = (path_: string): boolean => wide || [...shown, ...tools].some((root) => isBelow(path_, root))
  // In this order: tools may lie in a home, and what an operator shows may hold the worker's data.
  return [
    ...base,
    ...(wide ? [...PRIVATE, ...STATE] : PRIVATE.filter(isShown)).filter(isRealPath).flatMap(hiding),
    ...tools.flatMap((each) => ['--ro-bind', each, each]),
    ...hide
      .filter(existsSync)
      .map((each) => realpathSync(each))
      .filter(isShown)
      .flatMap(hiding),
  ]
}

const hiding = (path: string): string[] =>
  lstatSync(path).isDirectory() ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path]

/** Directories on the worker's own PATH, and what a Python environment has beside its own. */
function toolDirectories(path: string, hide: readonly string[]): string[] {
  const seen = (directory: string): boolean => SYSTEM.some((root) => isBelow(directory, root))
  return [...new Set(path.split(delimiter))]
    .filter((each) => isAbsolute(each) && each.split(sep).filter(Boolean).length > 1 && !seen(each))
    .filter((each) => !hide.some((hidden) => isBelow(hidden, each)))
    .map((each) => (existsSync(join(dirname(each), 'pyvenv.cfg')) ? dirname(each) : each))
}

/**
 * A program that is a link on the worker's own PATH: the directory in which it really is. Only for that PATH: a
 * stack chooses its own, and could have any directory shown.
 */
export function behindLink(program: string, path: string): string | null {
  const directories = path.split(delimiter).filter(isAbsolute)
  const candidates = isAbsolute(program)
    ? directories.includes(dirname(program))
      ? [program]
      : []
    : directories.map((directory) => join(directory, basename(program)))
  const found = program.includes('/') && !isAbsolute(program) ? undefined : candidates.find(existsSync)
  if (found === undefined) return null
  const real = dirname(realpathSync(found))
  return real === dirname(found) || SYSTEM.some((root) => isBelow(real, root)) ? null : real
}

/** A link of the system (/bin → usr/bin) is made anew: bound, it would stand twice. */
function readOnly(path: string): string[] {
  if (lstatSync(path).isSymbolicLink() && dirname(path) === '/') return ['--symlink', readlinkSync(path), path]
  return ['--ro-bind', path, path]
}

/** What a link leads to is hidden where it really is. */
function isRealPath(path: string): boolean {
  try {
    return realpathSync(path) === path
  } catch {
    return false
  }
}

export const isBelow = (path: string, root: string): boolean =>
  path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
