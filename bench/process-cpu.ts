import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in ticks of 1/100 s for what /proc shows of children. */
const TICKS_PER_SECOND = 100

/**
 * CPU-seconds of a process and of all its descendants: nanoseconds exact for threads that live, in steps of 10 ms for
 * children that were waited for. Linux only. Children of a process that somebody else inherited are not seen.
 */
export function treeCpuSeconds(root: number): number {
  const childrenOf = new Map<number, number[]>()
  const waitedFor = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const fields = statFields(pid)
    if (!fields) continue
    // Fields of proc(5) from the third on: 4 is the parent, 16 and 17 the times of waited-for children.
    const parent = Number(fields[1])
    const siblings = childrenOf.get(parent)
    if (siblings) siblings.push(pid)
    else childrenOf.set(parent, [pid])
    waitedFor.set(pid, (Number(fields[13]) + Number(fields[14])) / TICKS_PER_SECOND)
  }
  let seconds = 0
  const left = [root]
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    seconds += ownSeconds(pid) + (waitedFor.get(pid) ?? 0)
    left.push(...(childrenOf.get(pid) ?? []))
  }
  return seconds
}

/** Nanoseconds on a CPU of the threads that live; those of Node's pools live as long as their process. */
function ownSeconds(pid: number): number {
  let nanoseconds = 0
  for (const thread of list(`/proc/${pid}/task`)) {
    nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0] ?? 0)
  }
  return nanoseconds / 1e9
}

function statFields(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`)
  // The name in parentheses may hold anything, spaces too.
  return text === '' ? null : text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // It has ended meanwhile.
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
