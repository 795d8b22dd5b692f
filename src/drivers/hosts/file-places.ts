import { posix } from 'node:path'
import type { Place } from '../../domain/plans/place.ts'
import type { Host } from './host.ts'
import { hostId, parseMounts, placeOn } from './real-path.ts'

/** A file that a tool manages on a host. */
export interface ManagedFile {
  path: string
  /** It is a link itself, which is not followed. */
  isLink: boolean
  /** A directory with everything in it. */
  holdsAll?: boolean
}

/** Machine id, name, mounts, and what each path of the standard input leads to, each part behind a line of its own. */
const LOOK = `cat /etc/machine-id 2>/dev/null; echo; echo =name; uname -n; echo =mounts; cat /proc/self/mountinfo 2>/dev/null
echo =paths
while IFS= read -r path; do readlink -m -- "$path" 2>/dev/null || printf '%s\\n' "$path"; done`

/**
 * The files that a stack manages on a host, as they are really called there, so that a stack of another environment is
 * refused that would write them too. Those of one environment may edit one file together, as two playbooks do. Empty
 * where the host does not tell.
 */
export async function filePlaces(host: Host, files: readonly ManagedFile[]): Promise<Place[]> {
  const named = files
    .filter(({ path }) => posix.isAbsolute(path) && !/[\n\0]/.test(path))
    .map(({ path, ...more }) => ({ ...more, path: posix.normalize(path).replace(/(.)\/$/, '$1') }))
  if (named.length === 0) return []
  const asked = named.map(({ path, isLink }) => (isLink ? posix.dirname(path) : path))
  const looked = await host.run({ argv: ['sh', '-c', LOOK], input: `${asked.join('\n')}\n`, quiet: true })
  const [, machineId, name, mountinfo, paths] =
    /^([^]*?)\n=name\n([^]*?)\n=mounts\n([^]*?)(?:^|\n)=paths\n([^]*)$/m.exec(looked.stdout) ?? []
  const real = paths?.split('\n').slice(0, asked.length)
  if (looked.exitCode !== 0 || real?.length !== asked.length) return []
  const view = { id: hostId(name!, machineId!), mounts: parseMounts(mountinfo!) }
  return named.map(({ path, isLink, holdsAll }, at) => {
    const found = real[at]!
    const realPath = isLink ? posix.join(found, posix.basename(path)) : found
    return placeOn(view, realPath, { shared: true, ...(holdsAll && { except: [] }) })
  })
}
