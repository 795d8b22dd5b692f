import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findTool } from '../tools.ts'

/** The file system that hosts start from, where it is not this machine's own. */
const root = process.env.TEST_HOSTS_ROOT

/** The version of a program as the hosts have it, or null where they have none: theirs, and not this machine's, is tested. */
export function versionOnHosts(name: string): string | null {
  if (root === undefined) return findTool(name)?.version ?? null
  try {
    return execFileSync('/usr/sbin/chroot', [root, name, '--version'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return null
  }
}

/** ` of Debian GNU/Linux 13 (trixie)` where hosts are of another system than this machine, and nothing otherwise. */
export function systemOfHosts(): string {
  if (root === undefined) return ''
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync(join(root, 'etc/os-release'), 'utf8'))?.[1]
  return ` of ${name ?? root}`
}
