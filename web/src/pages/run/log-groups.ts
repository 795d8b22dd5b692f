/** Lines of a log that belong together: a step of ours (`==> plan`), or a task or play of Ansible. */
export interface LogGroup {
  /** Null for what stands before the first heading. */
  title: string | null
  start: number
  /** One past the last line. */
  end: number
}

// oxlint-disable-next-line no-control-regex -- escape sequences are control characters
const HEADING = /^(?:\u001b\[[0-9;]*m)*(?:==> |(?:TASK|PLAY|RUNNING HANDLER|PLAY RECAP) ?\[?)/

export function toGroups(lines: readonly string[]): LogGroup[] {
  const groups: LogGroup[] = []
  for (const [at, line] of lines.entries()) {
    if (groups.length > 0 && !HEADING.test(line)) continue
    const before = groups.at(-1)
    if (before) before.end = at
    groups.push({ title: HEADING.test(line) ? line : null, start: at, end: lines.length })
  }
  return groups
}

// oxlint-disable-next-line no-control-regex -- as above
const FAILURE = /^(?:\u001b\[[0-9;]*m|[│╷╵\s])*(?:error\b|fatal:|fatal\b.*FAILED|FAILED|panic:|npm ERR!)/i

export const isFailure = (line: string): boolean => FAILURE.test(line)
