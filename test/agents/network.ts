import { execFileSync } from 'node:child_process'
import { describe } from 'vitest'
import { findTool } from '../tools.ts'

/** A network of two: this machine, and a namespace that knows no way but to it. */
export interface Network {
  /** This machine's address in it. */
  host: string
  guest: string
  /** Words before a command that is to run inside. */
  inside: string[]
  cut(): void
  mend(): void
  close(): void
}

const ip = (...argv: string[]) => execFileSync(findTool('ip')!.path, argv, { stdio: ['ignore', 'pipe', 'pipe'] })

/** Why there can be none here, or null where there can. */
function missing(): string | null {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux'
  if (findTool('ip') === null) return 'network namespaces need ip (apt-get install iproute2)'
  try {
    ip('netns', 'add', `tua-probe-${process.pid}`)
    ip('netns', 'delete', `tua-probe-${process.pid}`)
    return null
  } catch {
    return 'no network namespace can be made here'
  }
}

/** `describe` for tests in namespaces. Where there are none it is skipped, and the suite's name says why. */
export function describeWithNetwork(title: string, suite: () => void): void {
  const why = missing()
  const forbidden = (process.env.TRUEUP_TEST_FORBID_SKIPS ?? '').split(',').includes('hosts')
  if (why === null || forbidden) describe(`${title} (network namespaces)`, suite)
  else describe.skip(`${title} (skipped: ${why})`, suite)
}

export function makeNetwork(): Network {
  const number = process.pid % 250
  const [name, near, far] = [`tua-${process.pid}`, `tua${process.pid}a`, `tua${process.pid}b`]
  const [host, guest] = [`10.98.${number}.1`, `10.98.${number}.2`]
  ip('netns', 'add', name)
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', name)
  ip('address', 'add', `${host}/30`, 'dev', near)
  ip('link', 'set', near, 'up')
  ip('-n', name, 'address', 'add', `${guest}/30`, 'dev', far)
  ip('-n', name, 'link', 'set', far, 'up')
  ip('-n', name, 'link', 'set', 'lo', 'up')
  return {
    host,
    guest,
    inside: [findTool('ip')!.path, 'netns', 'exec', name],
    cut: () => void ip('link', 'set', near, 'down'),
    mend: () => void ip('link', 'set', near, 'up'),
    // The pair of interfaces goes with the namespace that holds one of them.
    close: () => void ip('netns', 'delete', name),
  }
}
