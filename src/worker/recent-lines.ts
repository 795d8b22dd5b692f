const LINES = 2_000
const CHARACTERS = 512 * 1024
const LINE_CHARACTERS = 8 * 1024

/** The last lines of this worker's own log, in memory: bounded by number and by length. */
export interface RecentLines {
  add(line: string): void
  /** The newest `count`, oldest first. */
  last(count: number): string[]
}

export function recentLines(): RecentLines {
  const lines: string[] = []
  let characters = 0
  return {
    add(given) {
      const line = shortened(given.trimEnd())
      lines.push(line)
      characters += line.length
      while (lines.length > LINES || characters > CHARACTERS) characters -= lines.shift()!.length
    },
    last: (count) => lines.slice(-count),
  }
}

/** A line that is too long stays a line of JSON: what every line has is kept of it. */
function shortened(line: string): string {
  if (line.length <= LINE_CHARACTERS) return line
  try {
    const { level, time, msg } = JSON.parse(line) as { [member: string]: unknown }
    return JSON.stringify({ level, time, msg: String(msg).slice(0, 1_000), leftOut: line.length })
  } catch {
    return line.slice(0, LINE_CHARACTERS)
  }
}
