import { readdirSync, readFileSync } from 'node:fs'

export interface FoundProcess {
  pid: number
  ppid: number
  argv: string
}

/** Every living process that was started with these variables in its environment. Zombies do not count. */
export function processesWith(variables: { [name: string]: string }): FoundProcess[] {
  const wanted = Object.entries(variables).map(([name, value]) => `\0${name}=${value}\0`)
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environment = `\0${readFileSync(`/proc/${name}/environ`, 'latin1')}`
        if (!wanted.every((each) => environment.includes(each))) return []
        const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
        const [state, ppid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        if (state === 'Z' || state === 'X') return []
        const argv = readFileSync(`/proc/${name}/cmdline`, 'latin1').replaceAll('\0', ' ').trim()
        return [{ pid: Number(name), ppid: Number(ppid), argv }]
      } catch {
        // It has ended between the two looks.
        return []
      }
    })
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? '')
  } catch {
    return false
  }
}

/** SIGKILL to the process group that a process leads, or is in. */
export function killGroupOf(pid: number): void {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const pgid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
  process.kill(-pgid, 'SIGKILL')
}
