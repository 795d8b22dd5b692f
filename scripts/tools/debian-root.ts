import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { madeOnce } from './cache.ts'
import { installPackages } from './debian.ts'

/** The file system of another Debian release, for test hosts to start from. */
export interface DebianRoot {
  /** Name of the release: `trixie`, `sid`. */
  suite: string
  packages: readonly string[]
}

/** What a test host needs beside the packages that are asked for: `test/hosts/test-hosts` starts sshd in it. */
const HOST_PACKAGES = ['ca-certificates', 'openssh-server', 'procps', 'python3', 'python3-apt']

/** Some packages cannot be configured without processes to look at. */
const INSTALL = `mount -t proc proc "$0/proc" && export DEBIAN_FRONTEND=noninteractive &&
  chroot "$0" apt-get --quiet=2 install "$@" && chroot "$0" apt-get clean`

/** Its place in the cache. */
export const debianRootName = ({ suite, packages }: DebianRoot): string => `debian-${suite}-${packages.join('-')}`

/** Makes the root by debootstrap and apt, and answers its directory. Needs root. Throws with what debootstrap or apt-get said last. */
export function makeDebianRoot(root: DebianRoot, timeoutMs: number): string {
  const { suite, packages } = root
  const until = Date.now() + timeoutMs
  const directory = madeOnce(debianRootName(root), (arriving) => {
    if (!existsSync('/usr/sbin/debootstrap')) installPackages(['debootstrap'])
    const place = join(arriving, 'root')
    contained(['/usr/sbin/debootstrap', '--variant=minbase', suite, place, archive()], until)
    // By apt, with the lists that debootstrap has left: debootstrap gives up where a package needs a virtual one.
    const wanted = [...HOST_PACKAGES, ...packages]
    contained(['sh', '-c', INSTALL, place, '--yes', '--no-install-recommends', ...wanted], until)
  })
  return join(directory, 'root')
}

/** The archive that this machine's own apt is configured for: the first of its sources. */
function archive(): string {
  for (const file of ['/etc/apt/sources.list', ...globSync('/etc/apt/sources.list.d/*').sort()]) {
    if (!existsSync(file)) continue
    const address = /^(?:deb(?:\s+\[[^\]]*\])?\s+|URIs:\s*)(https?:\S+)/m.exec(readFileSync(file, 'utf8'))?.[1]
    if (address !== undefined) return address
  }
  throw new Error('apt has no source configured')
}

/** What it mounts for the new system, and what runs there, is gone with it, also when it is given up. */
function contained(argv: readonly string[], until: number): void {
  try {
    const alone = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
    execFileSync('unshare', [...alone, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      maxBuffer: 64 << 20,
      timeout: Math.max(1, until - Date.now()),
    })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    const said = `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').slice(-3).join(' ')
    throw new Error(said, { cause: error })
  }
}
