/** A browser's text area knows line feeds only: what the lines of a text end with, null where they differ. */
export function lineEndOf(text: string): '\n' | '\r\n' | null {
  const windows = text.split('\r\n').length - 1
  if (windows === 0) return text.includes('\r') ? null : '\n'
  const plain = text.replaceAll('\r\n', '')
  return plain.includes('\n') || plain.includes('\r') ? null : '\r\n'
}

/** The text of a line of the new side, from the hunks of a unified diff; null where they do not show it. */
export function newLine(hunks: string, line: number): string | null {
  let at = 0
  for (const text of hunks.split('\n')) {
    const [, start] = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(text) ?? []
    if (start !== undefined) at = Number(start) - 1
    else if (text.startsWith('+') || text.startsWith(' ')) {
      at++
      if (at === line) return text.slice(1)
    }
  }
  return null
}
