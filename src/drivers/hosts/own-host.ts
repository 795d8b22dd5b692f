import { readFileSync, realpathSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { type HostView, hostId, parseMounts } from './real-path.ts'

/** The machine that this process is on. What cannot be read is missing: then only links are followed. */
export const ownHost = (): HostView => ({
  id: hostId(hostname(), textOf('/etc/machine-id')),
  mounts: parseMounts(textOf('/proc/self/mountinfo')),
})

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Where an absolute path leads, also where its end is not there yet. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPathOf(parent), basename(path))
  }
}
