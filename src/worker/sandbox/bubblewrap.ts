import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LIMITED, limitWords } from './limits.ts'
import { DEFAULT_LIMITS, type Limits } from './settings.ts'

/**
 * What can make sandboxes here (https://github.com/containers/bubblewrap): the program and the words with which the kernel lets
 * it, or why there is none.
 */
export type Bubblewrap = { program: string; namespaces: readonly string[]; why?: never } | { why: string; next: string }

/**
 * A user namespace of its own wherever the kernel gives one, in which no further one can be made (in it a tool could mount
 * file systems that nobody counts). Root in a container may have namespaces but no user namespaces: the second.
 */
const WAYS = [['--unshare-user', '--disable-userns'], []] as const

/** Nothing of the machine's network, processes, shared memory and name; ends with the worker; no rights at all. */
const ALONE = [
  '--unshare-pid', '--unshare-net', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try',
  '--die-with-parent', '--cap-drop', 'ALL',
] // biome-ignore format: a list of words

/** Looks for bubblewrap on a PATH and tries whether this machine lets it work. */
export function findBubblewrap(path: string): Bubblewrap {
  const program = path
    .split(delimiter)
    .filter(Boolean)
    .map((directory) => join(directory, 'bwrap'))
    .find(isProgram)
  if (program === undefined)
    return {
      why: 'bubblewrap (bwrap) is not installed on this worker',
      next: 'Install it: apt-get install bubblewrap.',
    }
  let said = ''
  for (const namespaces of WAYS) {
    const argv = sandboxed(
      { program, namespaces },
      { view: ['--ro-bind', '/', '/'], mounts: [], cwd: '/', limits: DEFAULT_LIMITS },
      ['/bin/true'],
    )
    const tried = spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8', env: { PATH: path }, timeout: 60_000 })
    if (tried.status === 0) return { program, namespaces }
    said ||= (tried.stderr || tried.error?.message || `it ended with ${tried.status ?? tried.signal}`).trim()
  }
  return {
    why: `bubblewrap cannot make namespaces here: ${said.split('\n')[0]}`,
    next: 'Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces; AppArmor: a profile for bwrap; a container: --security-opt seccomp=unconfined, systempaths=unconfined), or run this pool on a machine that has them.',
  }
}

export interface SandboxShape {
  /** What is seen, read-only (`view.ts`). */
  view: readonly string[]
  /** Further arguments of bubblewrap, after all others. */
  mounts: readonly string[]
  cwd: string
  limits: Limits
}

/**
 * The whole command: a tool in its sandbox. An interrupt goes to the whole process group; bubblewrap must outlive it, or
 * everything inside would be killed at once, so it ignores it and the tool gets it back (`--default-signal` of env).
 * Nothing of the kernel is written to: for root, files below /proc/sys would be.
 */
export function sandboxed(
  { program, namespaces }: Exclude<Bubblewrap, { why: string }>,
  { view, mounts, cwd, limits }: SandboxShape,
  argv: readonly string[],
): string[] {
  const size = String(limits.disk * 1024 * 1024)
  const own = ['/tmp', '/var/tmp'].flatMap((each) => ['--size', size, '--tmpfs', each])
  return [
    '/bin/sh', '-c', `trap '' INT; exec "$@"`, 'sh',
    program, ...namespaces, ...ALONE, ...view,
    '--proc', '/proc', '--remount-ro', '/proc', '--dev', '/dev', '--size', size, '--tmpfs', '/dev/shm', ...own, ...mounts,
    '--remount-ro', '/dev', '--remount-ro', '/', '--chdir', cwd, '--',
    '/bin/sh', '-c', LIMITED, 'sh', ...limitWords(limits), ...argv,
  ] // biome-ignore format: in the order in which it is read
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
