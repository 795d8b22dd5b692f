import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { join } from 'node:path'

const MEMORY = '/dev/shm'
/** What a whole run of the tests has at once, with room beside it. */
const WANTED_BYTES = 6 * 2 ** 30

/**
 * A directory in memory for what tests write, as the TMPDIR of their processes. Tests commit thousands of transactions and
 * wait for the disk at each, which is most of their time; what they prove of power cuts they prove on file systems of
 * their own. Where TMPDIR is set, memory is short, or nothing may be executed there, everything stays as it is.
 */
export function scratchInMemory(): { env: { TMPDIR?: string }; remove: () => void } {
  const none = { env: {}, remove: () => {} }
  if (process.env.TMPDIR !== undefined || process.platform !== 'linux') return none
  let directory: string | undefined
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    if (Math.min(bavail * bsize, freemem()) < WANTED_BYTES) return none
    // Short: paths of sockets are bounded.
    directory = mkdtempSync(join(MEMORY, 't-'))
    const program = join(directory, 'p')
    writeFileSync(program, '#!/bin/sh\nexit 0\n')
    chmodSync(program, 0o755)
    execFileSync(program)
    rmSync(program)
  } catch {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true })
    return none
  }
  const made = directory
  return { env: { TMPDIR: made }, remove: () => removeUnmounted(made) }
}

/** Never below something that is still mounted: that would not be ours to delete. */
function removeUnmounted(directory: string): void {
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${directory}/`))
    console.error(`${directory} stays: something is mounted below it`)
  else rmSync(directory, { recursive: true, force: true })
}
