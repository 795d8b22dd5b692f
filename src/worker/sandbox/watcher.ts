import { readdirSync, readFileSync } from 'node:fs'
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LimitCode } from './limits.ts'
import type { Limits } from './settings.ts'

const LOOK_MS = 200
/** Of the disk: walking a tree costs more than reading a few files of the kernel. */
const DISK_LOOKS = 5
const MIB = 1024 * 1024
const PAGE_BYTES = 4096
const MOST_FILES = 500_000

/**
 * Watches what rlimits do not bound: memory and number of all processes together (for root the kernel counts none), and
 * what directories hold. Calls `onLimit` once.
 */
export function watchLimits(
  { pid, limits, directories }: { pid: number; limits: Limits; directories: readonly string[] },
  onLimit: (code: LimitCode) => void,
): { stop(): void } {
  let looks = 0
  let stopped = false
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  const stop = (): void => {
    stopped = true
    clearInterval(timer)
  }
  const reached = (code: LimitCode): void => {
    if (stopped) return
    stop()
    onLimit(code)
  }
  async function look(): Promise<void> {
    const used = usedBy(pid)
    if (used.processes > limits.processes) return reached('LIMIT_PROCESSES')
    if (used.bytes > limits.memory * MIB) return reached('LIMIT_MEMORY')
    if (++looks % DISK_LOOKS === 0 && (await holdsMore(directories, limits.disk * MIB))) reached('LIMIT_DISK')
  }
  return { stop }
}

/** A process and all below it: everything in a sandbox is below the program that made it, whatever sessions it makes. */
function usedBy(pid: number): { processes: number; bytes: number } {
  let [processes, bytes] = [0, 0]
  for (const queue = [pid]; queue.length > 0; ) {
    const next = queue.pop()!
    try {
      const threads = readdirSync(`/proc/${next}/task`)
      processes += threads.length
      const [, resident = '0', shared = '0'] = readFileSync(`/proc/${next}/statm`, 'latin1').split(' ')
      bytes += (Number(resident) - Number(shared)) * PAGE_BYTES
      for (const thread of threads)
        queue.push(
          ...readFileSync(`/proc/${next}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
        )
    } catch {
      // It has ended meanwhile.
    }
  }
  return { processes, bytes }
}

async function holdsMore(directories: readonly string[], limit: number): Promise<boolean> {
  let [bytes, files] = [0, 0]
  for (const queue = [...directories]; queue.length > 0; ) {
    const directory = queue.pop()!
    try {
      for await (const entry of await opendir(directory)) {
        const path = join(directory, entry.name)
        if (++files > MOST_FILES) return true
        if (entry.isDirectory()) queue.push(path)
        else if (entry.isFile()) bytes += (await lstat(path)).blocks * 512
        if (bytes > limit) return true
      }
    } catch {
      // Removed meanwhile.
    }
  }
  return false
}
