import { readFileSync, realpathSync } from 'node:fs'

/**
 * Paths below `root` on which something is mounted, as the kernel lists them. A device number does not tell: a bind mount
 * of the same file system has that of the directory around it. Empty where there is no /proc.
 */
export function mountsBelow(root: string): ReadonlySet<string> {
  const real = realpathSync(root)
  const prefix = real === '/' ? '/' : `${real}/`
  const points = mountPoints().filter((point) => point.startsWith(prefix) && point.length > prefix.length)
  return new Set(points.map((point) => point.slice(prefix.length)))
}

/** The fifth field of each line; space, tab, line feed and backslash stand in octal (proc_pid_mountinfo(5)). */
function mountPoints(): string[] {
  let text: string
  try {
    text = readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((point) => point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))))
}
