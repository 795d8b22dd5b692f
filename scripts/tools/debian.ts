import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Whether packages can be installed: Debian (or a child of it), and root. */
export const canInstallPackages = (): boolean =>
  existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get') && process.getuid?.() === 0

/** The release of this Debian: 12, 13; testing and sid, which tell no number, are newer than all. 0 where it is none. */
export function debianRelease(): number {
  if (!existsSync('/etc/debian_version')) return 0
  const number = /^\d+/.exec(readFileSync('/etc/debian_version', 'utf8'))?.[0]
  return number === undefined ? Number.POSITIVE_INFINITY : Number(number)
}

/**
 * Installs Debian packages, without those they only recommend and without starting a service. The package lists are
 * fetched anew only when the first try fails: they may be absent on a fresh machine. Throws with what apt-get said last.
 */
export function installPackages(packages: readonly string[]): void {
  const install = ['install', '--yes', '--quiet=2', '--no-install-recommends', ...packages]
  try {
    aptGet(install)
  } catch {
    aptGet(['update', '--quiet=2'])
    aptGet(install)
  }
}

function aptGet(argv: readonly string[]): void {
  try {
    execFileSync('/usr/bin/apt-get', argv, {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      // RUNLEVEL=1 keeps invoke-rc.d from starting daemons in containers and images without a policy of their own.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
      timeout: 600_000,
    })
  } catch (error) {
    const said = String((error as { stderr?: string }).stderr ?? error)
    throw new Error(`apt-get ${argv[0]}: ${said.trim().split('\n').slice(-3).join(' ')}`, { cause: error })
  }
}
