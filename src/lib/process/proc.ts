import { readdirSync, readFileSync } from 'node:fs'

/** One line of the process table. */
export interface ProcessEntry {
  pid: number
  pgid: number
  /** Clock ticks after boot: together with the boot id, a name for this process that no later one can have. */
  startTime: number
  zombie: boolean
}

/** The process table, or null where there is no /proc (not Linux). */
export function allProcesses(): ProcessEntry[] | null {
  let names: string[]
  try {
    names = readdirSync('/proc')
  } catch {
    return null
  }
  if (!names.includes('self')) return null
  return names.filter((name) => /^\d+$/.test(name)).flatMap((name) => processEntry(Number(name)) ?? [])
}

/** One process, or null when it is gone. Fields: proc(5), `/proc/pid/stat`. */
export function processEntry(pid: number): ProcessEntry | null {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { pid, pgid: Number(fields[2]), startTime: Number(fields[19]), zombie: fields[0] === 'Z' || fields[0] === 'X' }
}

/** Whether the environment that a process was started with holds `name=value`. False when it may not be read. */
export function environmentHolds(pid: number, name: string, value: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${name}=${value}\0`)
  } catch {
    return false
  }
}

/** Changes with every boot; process ids and start times mean nothing across it. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return 'unknown'
  }
}
