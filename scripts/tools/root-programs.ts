import { globSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const RUN_IN_ROOT = join(import.meta.dirname, 'run-in-root')

/**
 * Programs of another Debian's root, as ones of this machine: a directory beside the root with a script for each program of
 * its `/usr/bin` that fits the pattern. They run with that root's interpreter and libraries, and see this machine's work.
 */
export function programsOfRoot(root: string, pattern: string): string {
  const directory = join(dirname(root), 'programs')
  mkdirSync(directory, { recursive: true })
  for (const path of globSync(join(root, 'usr/bin', pattern))) {
    const name = basename(path)
    const script = `#!/bin/sh\nexec '${RUN_IN_ROOT}' '${root}' /usr/bin/${name} "$@"\n`
    writeFileSync(join(directory, name), script, { mode: 0o755 })
  }
  return directory
}
