import type { LogEntry } from './report.ts'

export interface Placed {
  message: string
  file?: string
  line?: number
}

const IN_MESSAGE = /\s*\((?:file: (?<file>[^,()]+))?(?:, )?(?:line: (?<line>\d+))?(?:, column: \d+)?\)/

/** Message, file and line of a log entry; some carry the place only in their text. Paths become the repository's. */
export function placeOf(entry: Pick<LogEntry, 'message' | 'file' | 'line'>, path: (path: string) => string): Placed {
  const found = IN_MESSAGE.exec(entry.message)?.groups
  const file = entry.file ?? found?.file
  const line = entry.line ?? (found?.line === undefined ? undefined : Number(found.line))
  return {
    message: entry.message
      .replace(IN_MESSAGE, '')
      .replace(/ on node \S+$/, '')
      .trim(),
    ...(file !== undefined && { file: path(file) }),
    ...(line !== undefined && { line }),
  }
}
